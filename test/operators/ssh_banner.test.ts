import { describe, expect, it } from 'vitest'
import { harness, type TestEvent } from '../../engine/harness.ts'
import { sshBanner } from '../../operators/ssh_banner.ts'
import { kexInit, packet } from '../protocols/ssh/kexinit_bytes.ts'
import { withAndWithoutCrashes } from './after_crashes.ts'
import { connection, cutAt, DECKY, FLAG, REMOTE, segments } from './sniffed_packets.ts'

const BANNER = 'sniffer.ssh_client_banner'
const CLIENT_KEX = 'sniffer.ssh_client_kex'
const SERVER_KEX = 'sniffer.ssh_server_kex'
const SYN_ACK = { flags: FLAG.syn | FLAG.ack, seq: 900 }

/** Of section 9 item 13: the parts of a HASSH, either way. */
const KEX = packet(
  kexInit([
    'curve25519-sha256',
    'ssh-ed25519',
    ...['aes128-gcm@openssh.com', 'aes128-gcm@openssh.com'],
    ...['hmac-sha2-256', 'hmac-sha2-256'],
    ...['none', 'none'],
    ...['', ''],
  ]),
)
const HASSH = '66a216a163d6360198852c99b10afcc6'
const CLIENT = Buffer.concat([Buffer.from('SSH-2.0-a\r\n'), KEX])
const inbound = connection({ deckyPort: 22 })
const outbound = connection({ remotePort: 22, deckyPort: 50_000 })
const heard = (config: object, ...events: TestEvent[]) =>
  harness(sshBanner, { ...config }).send(...events)
const topics = (out: readonly { topic: string }[]) => out.map(({ topic }) => topic)
const banner = (bytes: Buffer | string) =>
  heard({}, inbound.remote(1000, bytes)).map(({ data }) => data.ssh_version)

describe('ssh_banner', () => {
  it('tells the first line of a client', () => {
    expect(heard({}, inbound.remote(1000, 'SSH-2.0-a\r\n'))).toMatchObject([
      {
        topic: BANNER,
        time: 1000,
        data: {
          src_ip: REMOTE,
          src_port: '40000',
          dst_ip: DECKY,
          dst_port: '22',
          ssh_version: 'SSH-2.0-a',
          direction: 'inbound',
          decky: 'decky-a',
        },
      },
    ])
  })

  it.each([
    ['no name', 'SSH-\r\n', []],
    ['another letter first', 'xSSH-2.0-a\n', []],
    ['a byte that is no ASCII', Buffer.from('SSH-2.0-\xff\r\n', 'latin1'), []],
    ['a line end at 255', `SSH-${'a'.repeat(251)}\n`, []],
    ['a line end at 254', `SSH-${'a'.repeat(250)}\n`, [`SSH-${'a'.repeat(250)}`]],
    ['a bare CR', 'SSH-1\rx', ['SSH-1']],
    ['a bracket and an escape', 'SSH-2.0-"]\x1b[31m\n', ['SSH-2.0-"]\x1b[31m']],
  ])('takes a line with %s for what the sheet says', (_, bytes, expected) => {
    expect(banner(bytes)).toEqual(expected)
  })

  it('finds it on any port, cut anywhere, in either order', () => {
    const { remote } = connection({ deckyPort: 9999 })
    for (let at = 1; at < CLIENT.length; at++) {
      const [first, second] = cutAt(remote, CLIENT, at)
      const whole = [BANNER, CLIENT_KEX]
      expect(topics(heard({}, first, second)), `cut at ${at}`).toEqual(whole)
      expect(topics(heard({}, second, first)), `turned at ${at}`).toEqual(whole)
      expect(topics(heard({}, ...segments(remote, CLIENT, at))), `each ${at}`).toEqual(whole)
    }
  })

  it('tells what a client offers, once, with its HASSH', () => {
    const run = harness(sshBanner)
    const out = run.send(
      inbound.remote(1000, 'SSH-2.0-a\r\n', { seq: 101 }),
      inbound.remote(1010, KEX, { seq: 112 }),
      inbound.remote(1020, KEX, { seq: 112 + KEX.length }),
    )
    expect(topics(out)).toEqual([BANNER, CLIENT_KEX])
    expect(out[1]).toMatchObject({
      time: 1010,
      data: {
        hassh: HASSH,
        hassh_raw: 'curve25519-sha256;aes128-gcm@openssh.com;hmac-sha2-256;none',
        kex_algorithms: 'curve25519-sha256',
        encryption_c2s: 'aes128-gcm@openssh.com',
        mac_c2s: 'hmac-sha2-256',
        compression_c2s: 'none',
        ssh_version: 'SSH-2.0-a',
      },
    })
  })

  it('gives an offer of nothing the HASSH of nothing', () => {
    const empty = packet(kexInit(Array<string>(10).fill('')))
    const out = heard({}, inbound.remote(1, Buffer.concat([Buffer.from('SSH-2.0-a\n'), empty])))
    expect(out[1]?.data).toMatchObject({
      hassh: '95420f9d932ddd22833f17b96a80bedb',
      hassh_raw: ';;;',
    })
  })

  it('says nothing of the decky itself, unless told to', () => {
    const answer = inbound.decky(1000, CLIENT, { seq: 901 })
    expect(heard({}, answer)).toEqual([])
    expect(heard({ own: true }, answer)).toMatchObject([
      { topic: SERVER_KEX, data: { src_ip: REMOTE, hassh_server: HASSH, direction: 'inbound' } },
    ])
  })

  it('tells the server that a decky connects to by what it offers', () => {
    const events = [
      outbound.decky(1, '', { flags: FLAG.syn, seq: 100 }),
      outbound.remote(2, '', SYN_ACK),
      outbound.remote(3, CLIENT, { seq: 901 }),
      outbound.decky(4, CLIENT, { seq: 101 }),
    ]
    const ends = { src_ip: REMOTE, src_port: '22', dst_ip: DECKY, direction: 'outbound' }
    expect(heard({}, ...events)).toMatchObject([
      { topic: SERVER_KEX, data: { ...ends, hassh_server: HASSH, ssh_version: 'SSH-2.0-a' } },
    ])
    expect(topics(heard({ own: true }, ...events))).toEqual([SERVER_KEX, BANNER, CLIENT_KEX])
  })

  it('reads over a few lines that a server says first', () => {
    const lines = 'Welcome\r\n'
    const out = heard(
      {},
      outbound.remote(2, '', SYN_ACK),
      outbound.remote(3, lines, { seq: 901 }),
      outbound.remote(4, CLIENT, { seq: 901 + lines.length }),
    )
    expect(topics(out)).toEqual([SERVER_KEX])
  })

  it('names the direction between two deckies', () => {
    const { remote } = connection({ marks: { internal: true } })
    expect(heard({}, remote(1, 'SSH-2.0-a\n'))).toMatchObject([{ data: { direction: 'internal' } }])
  })

  it('goes by the SYN-ACK where the ends were only guessed, and the ports mislead', () => {
    const [CLIENT_IP, SERVER_IP] = ['198.51.100.1', '203.0.113.9']
    const marks = { guessed: true, decky: '198-51-100-1' }
    const wrong = connection({
      ...{ remote: SERVER_IP, remotePort: 2222, decky: CLIENT_IP, deckyPort: 20, marks },
    })
    const answer = wrong.remote(1, '', SYN_ACK)
    const out = heard(
      { own: true },
      { ...answer, data: { ...answer.data, from_decky: true, decky: '203-0-113-9' } },
      wrong.remote(2, CLIENT, { seq: 901 }),
      wrong.decky(3, CLIENT, { seq: 101 }),
    )
    expect(topics(out)).toEqual([SERVER_KEX, BANNER, CLIENT_KEX])
    for (const { data } of out) {
      expect(data).toMatchObject({
        src_ip: CLIENT_IP,
        dst_ip: SERVER_IP,
        dst_port: '2222',
        direction: 'inbound',
        decky: '203-0-113-9',
      })
    }
  })

  it('gives up a line that does not come within ten seconds', () => {
    const [first, second] = cutAt(inbound.remote, CLIENT, 5)
    expect(heard({}, first, { ...second, time: 11_001 })).toEqual([])
  })

  it('tells of each connection anew after FIN and RST', () => {
    const run = harness(sshBanner)
    for (const flags of [FLAG.fin, FLAG.rst]) {
      expect(
        run.send(inbound.remote(1, 'SSH-2.0-a\n'), inbound.remote(2, '', { flags })),
      ).toHaveLength(1)
      expect(run.state?.keys).toBe(0)
    }
  })

  it('keeps nothing of SYNs and of what deckies answer them', () => {
    const run = harness(sshBanner)
    for (let port = 1; port < 100; port++) {
      const { remote, decky } = connection({ remotePort: port })
      run.send(remote(1, '', { flags: FLAG.syn }), decky(2, '', SYN_ACK))
    }
    expect(run.state?.keys).toBe(0)
  })

  it('says the same after a crash anywhere', () => {
    const events = [
      outbound.remote(1, '', SYN_ACK),
      ...segments(outbound.remote, CLIENT, 9, { seq: 901 }),
      ...segments(inbound.remote, CLIENT, 11).toReversed().slice(-3),
      ...segments(inbound.remote, CLIENT, 11),
    ]
    const { straight, crashing } = withAndWithoutCrashes(sshBanner, {}, events, 1e6)
    expect(topics(straight)).toEqual([SERVER_KEX, BANNER, CLIENT_KEX])
    expect(crashing).toEqual(straight)
  })

  it('forgets the connection unheard of for longest, beyond max_keys, and each after its ttl', () => {
    const run = harness(sshBanner, { max_keys: 5, ttl: '60s' })
    const many = Array.from({ length: 8 }, (_, n) => connection({ remotePort: 1000 + n }).remote)
    for (const remote of many) run.send(remote(1000, 'SSH-2.0', { seq: 1 }))
    expect(run.state).toMatchObject({ keys: 5, evictedByCount: 3 })
    const rest = many.map((remote) => remote(1001, '-a\n', { seq: 8 }))
    expect(run.send(...rest.slice(3))).toHaveLength(5)
    expect(run.send(...rest.slice(0, 3))).toEqual([])
    run.advanceTo(62_000)
    expect(run.state?.keys).toBe(0)
  })
})
