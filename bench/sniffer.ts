/**
 * A capture through the pipeline `sniffer`, sinks muted, against p0f and tshark on the same file, and
 * against a bare loop with the same codecs and state (bench/_sniffer_loop.ts). Each is a process of
 * its own, and its start counts. p0f reads SYNs alone; tshark prints the fields that come nearest.
 * Goals: ten times the rate of p0f, 25 times that of tshark, at most three times the time of the loop.
 * p0f writes each line by itself, and takes five times as long where they go to a terminal, which is
 * how its 26 s for a million SYNs are come to: measured too, where there is script(1).
 * Peers: bench/install_peers.sh, or the packages p0f and tshark.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contender, goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { findPeer, type Peer } from './_peers.ts'
import { DECKIES, STATE, writeScan, writeSessions } from './_sniffer_captures.ts'

const PACKETS = Number(process.env.DECNET_BENCH_PACKETS ?? 1_000_000)
const ROUNDS = 3
const root = join(import.meta.dirname, '..')
const FIELDS = [
  ...['ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'ip.ttl', 'tcp.window_size_value'],
  ...['tcp.options', 'tls.handshake.ja3', 'tls.handshake.ja3s', 'ssh.kex.hassh'],
].flatMap((field) => ['-e', field])

const p0f = findPeer('p0f')
const tshark = findPeer('tshark')
if (!p0f) process.stdout.write('  p0f is not there: bench/install_peers.sh\n')
if (!tshark) process.stdout.write('  tshark is not there: bench/install_peers.sh\n')

/** @returns ms the process took, and what it printed, if that is wanted */
function timed(command: string, args: readonly string[], env: object = {}, keep = false) {
  const began = performance.now()
  const ended = spawnSync(command, args, {
    stdio: ['ignore', keep ? 'pipe' : 'ignore', 'pipe'],
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
    encoding: 'utf8',
  })
  const ms = performance.now() - began
  if (ended.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ended.stderr}`)
  return { ms, text: ended.stdout ?? '' }
}

const runPeer = ({ path, env }: Peer, args: readonly string[]): number => timed(path, args, env).ms

const signatures = (peer: Peer): string[] => {
  const file = [join(peer.root, 'etc/p0f/p0f.fp'), '/etc/p0f/p0f.fp'].find(existsSync)
  return file === undefined ? [] : ['-f', file]
}

const SCRIPT = '/usr/bin/script'
const ON_TERMINAL = 'p0f on a terminal'

/** @returns ms for the same with a terminal to write to, whose text nobody draws */
function onTerminal({ path, env }: Peer, args: readonly string[]): number {
  const command = [path, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  return timed(SCRIPT, ['-qec', command, '/dev/null'], env).ms
}

function contenders(file: string, state: string): Record<string, Contender> {
  const env = { DECNET_STATE_FILE: state, DECNET_SNIFFER_DATABASE: 'false' }
  const replay = ['pipeline', 'replay', 'sniffer', '--capture', file]
  const all: Record<string, Contender> = {
    decnet: () => timed(join(root, 'bin/decnet'), replay, env).ms,
    'bare loop': () =>
      timed(process.execPath, [join(root, 'bench/_sniffer_loop.ts'), file, ...DECKIES]).ms,
  }
  if (p0f) {
    const args = [...signatures(p0f), '-r', file]
    all.p0f = () => runPeer(p0f, args)
    if (existsSync(SCRIPT)) all[ON_TERMINAL] = () => onTerminal(p0f, args)
  }
  if (tshark) all.tshark = () => runPeer(tshark, ['-n', '-r', file, '-T', 'fields', ...FIELDS])
  return all
}

/** Events of the loop and of the pipeline: a loop that did less would be no measure. */
function counts(file: string, state: string, folder: string): string {
  const loop = timed(
    process.execPath,
    [join(root, 'bench/_sniffer_loop.ts'), file, ...DECKIES],
    {},
    true,
  )
  const args = ['pipeline', 'replay', 'sniffer', '--capture', file, '--sink', join(folder, 'out')]
  const { text } = timed(join(root, 'bin/decnet'), args, { DECNET_STATE_FILE: state }, true)
  const ours = /^ +fresh +dedup +\S+ +(\S+)/m.exec(text)?.[1]?.replaceAll(',', '')
  return `events: ${ours} of the pipeline, ${loop.text.trim()} of the loop`
}

await inScratch(async (folder) => {
  const state = join(folder, 'state.json')
  writeFileSync(state, STATE)
  const file = join(folder, 'bench.pcap')
  const captures: [string, () => number][] = [
    [
      'SYNs of 1,000 sources with seven stacks, to four deckies',
      () => {
        writeScan(file, PACKETS, 1000)
        return PACKETS
      },
    ],
    [
      'SYNs of 65,536 sources',
      () => {
        writeScan(file, PACKETS, 65_536)
        return PACKETS
      },
    ],
    [
      'SYNs of as many sources, as forged ones are',
      () => {
        writeScan(file, PACKETS, 2 ** 20)
        return PACKETS
      },
    ],
    ['sessions of TLS 1.2, TLS 1.3 and SSH, with data', () => writeSessions(file, PACKETS / 10)],
  ]
  for (const [name, write] of captures) {
    const packets = write()
    process.stdout.write(`  ${packets.toLocaleString('en')} packets: ${name}\n`)
    const times = await rounds(contenders(file, state), { count: ROUNDS })
    timesTable(times, packets)
    process.stdout.write(`  ${counts(file, state, folder)}\n`)
    const ours = times.get('decnet') ?? []
    const ratio = (peer: string) => pairedRatio(times.get(peer) ?? [], ours)
    if (p0f) goal('rate of decnet / rate of p0f', ratio('p0f'), { least: 10 })
    if (times.has(ON_TERMINAL)) {
      goal('rate of decnet / rate of p0f on a terminal', ratio(ON_TERMINAL), { least: 10 })
    }
    if (tshark) goal('rate of decnet / rate of tshark', ratio('tshark'), { least: 25 })
    const over = pairedRatio(ours, times.get('bare loop') ?? [])
    goal('time of decnet / time of the bare loop', over, { most: 3 })
  }
})
