/**
 * The sniffer sees the same live as in the capture that another program wrote meanwhile. On a real
 * wire, real tools meet real services.
 */
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import {
  type DecoyHosts,
  decoyHosts,
  HOME_PORT,
  hasDecoyParts,
  SERVICE,
} from '../services/decoy_host.ts'
import { canHaveTwoHosts } from '../services/two_hosts.ts'
import { killWorkers, Worker } from './split_pipeline.ts'

interface Seen {
  readonly topic: string
  readonly time: number
  readonly data: Readonly<Record<string, string>>
}

/** Who attacks from where: each tool has an address of its own. */
const FROM = {
  nmap: '10.213.77.11',
  masscan: '10.213.77.12',
  curl: '10.213.77.13',
  tls12: '10.213.77.14',
  tls13: '10.213.77.15',
  ssh: '10.213.77.16',
  begin: '10.213.77.201',
  end: '10.213.77.202',
} as const

/** What the pipeline captures when nothing else is said. */
const FILTER = 'tcp or udp port 443 or icmp6'

/**
 * How far two stamps of one packet may be apart, ms. The kernel stamps a TCP packet for each who
 * captures it anew, microseconds apart, unless this machine is kept from going on in between.
 */
const STAMPS_APART = 50

const present = canHaveTwoHosts() && hasDecoyParts()

describe.skipIf(!present)('the sniffer on a wire', () => {
  const dir = scratchFolder()
  const pipeline = join(dir, 'sniffer.yaml')
  const capture = join(dir, 'wire.pcap')
  const liveFile = join(dir, 'live.ndjson')
  const log = join(dir, 'decnet.log')
  const env = {
    DECNET_SNIFFER_IFACE: 'cable',
    DECNET_STATE_FILE: join(dir, 'state.json'),
    DECNET_INGEST_LOG_FILE: log,
    PATH: `${process.env.PATH}:/usr/sbin`,
  }
  let hosts: DecoyHosts
  let live: Seen[] = []
  let replayed: Seen[] = []
  let said = ''
  let sshSaid = ''

  beforeAll(async () => {
    hosts = await decoyHosts(dir)
    for (const address of Object.values(FROM)) hosts.addAddress(address)
    const deckies = [{ name: 'decky-a', ip: hosts.decky.address }]
    writeFileSync(env.DECNET_STATE_FILE, JSON.stringify({ config: { deckies } }))
    const shipped = readFileSync(join(root, 'pipelines/sniffer.yaml'), 'utf8')
    const sink = `  events: { type: ndjson_file, inputs: [fresh], path: ${liveFile} }\n`
    writeFileSync(pipeline, shipped.replace('sinks:\n', `sinks:\n${sink}`))
    const words = ['-i', 'cable', '-U', '-n', '--immediate-mode', '-s', '65535', '-B', '65536']
    const writer = hosts.start(hosts.decky, ['tcpdump', ...words, '-w', capture, FILTER])
    const yaml = readFileSync(pipeline, 'utf8')
    const worker = new Worker(dir, 'sniffer', yaml, env, hosts.decky.within)
    worker.start()
    await marked(FROM.begin)
    sshSaid = attack(hosts)
    await marked(FROM.end)
    await ended(writer)
    expect(await worker.stop(), worker.said).toBe(0)
    said = worker.said
    live = between(readEvents(liveFile))
    const to = join(dir, 'replayed')
    const args = ['pipeline', 'replay', pipeline, '--capture', capture, '--sink', to]
    const { code, stderr } = decnet(args, { env })
    expect(code, stderr).toBe(0)
    replayed = between(readEvents(join(to, 'sniffer.events.ndjson')))
  }, 300_000)
  afterAll(async () => {
    await killWorkers()
    await hosts?.close()
    rmSync(dir, { recursive: true })
  })

  /** Knocks until both have seen it: what comes after, both see; what came before, they did too. */
  async function marked(address: string): Promise<void> {
    const bytes = Buffer.from(address.split('.').map(Number))
    const isSeen = () =>
      readIfThere(capture).includes(bytes) && readIfThere(liveFile).includes(address)
    const deadline = Date.now() + 60_000
    while (!isSeen()) {
      if (Date.now() > deadline) throw new Error(`${address} was not seen`)
      const target = `http://${hosts.decky.address}:1/`
      hosts.run(hosts.attacker, ['curl', '-s', '--interface', address, target])
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  const of = (topic: string, source: string) =>
    live.filter((event) => event.topic === `sniffer.${topic}` && event.data.src_ip === source)
  const first = (topic: string, source: string) => {
    const [event] = of(topic, source)
    if (!event) throw new Error(`no ${topic} of ${source}`)
    return event.data
  }

  it('sees live what a replay of the capture shows', () => {
    expect(live.length).toBeGreaterThan(20)
    const [seen, shown] = [inOrder(live), inOrder(replayed)]
    expect(seen.map(untimed)).toEqual(shown.map(untimed))
    const apart = seen.map((event, index) => furthest(event, shown[index] as Seen))
    expect(Math.max(...apart)).toBeLessThan(STAMPS_APART)
  })

  it('loses no packet, and says nothing but that it captures', () => {
    expect(said).toContain('"capturing"')
    expect(said).not.toMatch(/"level":"(?:warn|error)"/)
  })

  it('writes each event into the log that the ingester reads', () => {
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const names = lines.map((line) => / decky-a sniffer - (\S+) \[/.exec(line)?.[1])
    const topics = readEvents(liveFile).map(({ topic }) => topic.replace('sniffer.', ''))
    expect(names).toEqual(topics)
  })

  it.each([
    ['nmap', FROM.nmap],
    ['masscan', FROM.masscan],
    ['linux', FROM.curl],
    ['linux', FROM.ssh],
  ])('takes SYNs for those of %s, from %s', (label, source) => {
    const labels = of('tcp_syn_fingerprint', source).map(({ data }) => data.os_guess)
    expect(new Set(labels)).toEqual(new Set([label]))
  })

  it('knows what the TLS clients and servers have agreed on', () => {
    const old = first('tls_session', FROM.tls12)
    expect(old).toMatchObject({
      tls_version: 'TLS 1.2',
      sni: 'twelve.example',
      alpn: 'h2,http/1.1',
    })
    // The one suite that it was told to offer, and the signal of RFC 5746.
    expect(old.raw_ciphers).toBe('49199-255')
    expect(old.ja4).toMatch(/^t12d02\d\dh2_[0-9a-f]{12}_[0-9a-f]{12}$/)
    expect(old.ja4).toContain(`_${sha256('00ff,c02f').slice(0, 12)}_`)
    expect(old.ja3).toBe(md5(old.ja3_raw))
    const young = first('tls_session', FROM.tls13)
    expect(young).toMatchObject({ tls_version: 'TLS 1.3', direction: 'inbound' })
    // No server name was asked for.
    expect(young.ja4).toMatch(/^t13i02\d\d00_[0-9a-f]{12}_[0-9a-f]{12}$/)
    expect(young.ja3s_raw).toMatch(/^771,4865,/)
    expect(first('tls_client_hello', FROM.tls13).ja4).toBe(young.ja4)
  })

  it('sees the certificate of the server that a decky calls', () => {
    const source = hosts.attacker.address
    expect(first('tls_certificate', source)).toMatchObject({
      ...{ subject_cn: 'home.example', self_signed: 'true', sans: 'home.example' },
      ...{ src_port: String(HOME_PORT), direction: 'outbound', decky: 'decky-a' },
    })
    expect(live.filter(({ topic }) => topic === 'sniffer.tls_certificate')).toHaveLength(1)
  })

  it('comes to the HASSH of the lists that ssh says it sends', () => {
    const names = ['KEX algorithms', 'ciphers ctos', 'MACs ctos', 'compression ctos']
    const [, proposal = ''] = sshSaid.split('local client KEXINIT proposal')
    const lists = names.map((name) => proposal.split(`debug2: ${name}: `)[1]?.split(/\r?\n/)[0])
    expect(lists).not.toContain(undefined)
    expect(first('ssh_client_kex', FROM.ssh).hassh).toBe(md5(lists.join(';')))
    // What the decky's own server offers tells nothing of the attacker.
    expect(live.filter(({ topic }) => topic === 'sniffer.ssh_server_kex')).toEqual([])
    expect(first('ssh_client_banner', FROM.ssh).ssh_version).toMatch(/^SSH-2\.0-OpenSSH_/)
  })

  it.each([
    ['curl', FROM.curl, SERVICE.http],
    ['openssl', FROM.tls12, SERVICE.tls12],
    ['ssh', FROM.ssh, SERVICE.ssh],
  ])('times the connection of %s to the microsecond of the capture', (_tool, source, port) => {
    const flow = replayed.find(
      ({ topic, data }) => topic === 'sniffer.tcp_flow_timing' && data.src_ip === source,
    )?.data as Seen['data']
    const only = `tcp and host ${source} and port ${port} and port ${flow.src_port}`
    const printed = hosts.run(hosts.decky, ['tcpdump', '-r', capture, '-n', '-tt', only]).text
    const lines = printed.split('\n').filter((line) => line.includes(' IP '))
    // What comes behind the first FIN counts as another flow, too short to be told.
    const packets = lines.slice(0, lines.findIndex((line) => line.includes('Flags [F')) + 1)
    const times = packets.map((line) => Number(line.split(' ')[0]))
    const lengths = packets.map((line) => Number(/ length (\d+)/.exec(line)?.[1]))
    const whole = (times.at(-1) ?? 0) - (times[0] ?? 0)
    expect(flow).toMatchObject({
      packets: String(packets.length),
      bytes: String(lengths.reduce((sum, length) => sum + length, 0)),
      retransmits: '0',
      direction: 'inbound',
      decky: 'decky-a',
    })
    expect(Number(flow.duration_s)).toBeCloseTo(whole, 3)
    expect(Number(flow.mean_iat_ms)).toBeCloseTo((whole * 1000) / (packets.length - 1), 1)
  })
})

/** @returns what ssh said of its negotiation */
function attack({ run, attacker, decky }: DecoyHosts): string {
  const from = (words: string[], input?: string) => run(attacker, words, input).text
  const ports = '22,80,81,443,8443,9443'
  from([
    ...['nmap', '-sS', '-Pn', '-n', '-e', 'cable', '-S', FROM.nmap],
    ...['-p', ports, decky.address],
  ])
  const link = run(decky, ['ip', '-o', 'link', 'show', 'cable']).text
  const mac = /link\/ether (\S+)/.exec(link)?.[1] ?? ''
  from([
    ...['masscan', '--interface', 'cable', '--adapter-ip', FROM.masscan, '--router-mac', mac],
    ...['-p', ports, '--rate', '50', '--wait', '1', decky.address],
  ])
  from(['curl', '-s', '--interface', FROM.curl, `http://${decky.address}/`])
  const tls = ['openssl', 's_client', '-bind', `${FROM.tls12}:0`, '-tls1_2']
  from([
    ...[...tls, '-connect', `${decky.address}:${SERVICE.tls12}`, '-servername', 'twelve.example'],
    ...['-cipher', 'ECDHE-RSA-AES128-GCM-SHA256', '-alpn', 'h2,http/1.1'],
  ])
  from([
    ...['openssl', 's_client', '-bind', `${FROM.tls13}:0`, '-tls1_3'],
    ...['-ciphersuites', 'TLS_AES_128_GCM_SHA256'],
    ...['-connect', `${decky.address}:${SERVICE.tls13}`],
  ])
  run(decky, ['openssl', 's_client', '-connect', `${attacker.address}:${HOME_PORT}`])
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null']
  return from([
    ...['ssh', '-vv', '-F', '/dev/null', '-i', '/dev/null', '-b', FROM.ssh],
    ...options.flatMap((option) => ['-o', option]),
    ...[`nobody@${decky.address}`, 'true'],
  ])
}

const md5 = (text = '') => createHash('md5').update(text).digest('hex')
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

const readIfThere = (file: string): Buffer => (existsSync(file) ? readFileSync(file) : Buffer.of())

const readEvents = (file: string): Seen[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Seen)

const MARKERS = new Set<string>([FROM.begin, FROM.end])
/** Those of the attack: of the knocks before and after, one of the two may have seen more. */
const between = (events: readonly Seen[]): Seen[] =>
  events.filter(({ data }) => !MARKERS.has(data.src_ip ?? ''))

/** Without what hangs on stamps; ids differ by design, for on a wire they name no place in a file. */
function untimed({ topic, data }: Seen): string {
  const entries = Object.entries(data).filter(([name]) => !TIMES.has(name))
  return JSON.stringify([topic, Object.fromEntries(entries)])
}

/** Fields that are times, by ms in one of their unit. */
const TIMES = new Map([
  ['duration_s', 1000],
  ['mean_iat_ms', 1],
  ['min_iat_ms', 1],
  ['max_iat_ms', 1],
])

const inOrder = (events: readonly Seen[]): Seen[] =>
  events.toSorted((one, other) => (untimed(one) < untimed(other) ? -1 : 1))

/** @returns ms by which the times of one event differ most */
const furthest = (one: Seen, other: Seen): number =>
  Math.max(
    Math.abs(one.time - other.time),
    ...[...TIMES].flatMap(([name, unit]) =>
      name in one.data ? [Math.abs(Number(one.data[name]) - Number(other.data[name])) * unit] : [],
    ),
  )

async function ended(writer: ChildProcess): Promise<void> {
  const end = once(writer, 'exit')
  writer.kill('SIGINT')
  await end
}
