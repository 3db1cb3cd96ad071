import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { tcpFlow } from '../../operators/tcp_flow.ts'
import { withAndWithoutCrashes } from './after_crashes.ts'
import { connection, DECKY, FLAG, REMOTE } from './sniffed_packets.ts'

const SYN = { flags: FLAG.syn, seq: 100 }
const SYN_ACK = { flags: FLAG.syn | FLAG.ack, seq: 900 }
const PUSH = FLAG.psh | FLAG.ack
const DATA = 'hello world'
const T = 30_000_000

/** Item 15 of section 9 of the sheet. */
const sheetFlow = (ends = {}) => {
  const { remote, decky } = connection(ends)
  return [
    remote(T, '', SYN),
    decky(T + 10, '', SYN_ACK),
    remote(T + 20, '', { flags: FLAG.ack, seq: 101 }),
    remote(T + 120, DATA, { flags: PUSH, seq: 101 }),
    remote(T + 320, DATA, { flags: PUSH, seq: 101 }),
    decky(T + 370, DATA, { flags: PUSH, seq: 901 }),
    remote(T + 500, '', { flags: FLAG.fin | FLAG.ack, seq: 112 }),
  ]
}

describe('tcp_flow', () => {
  it('counts and times the segments of a connection, and the one that came again', () => {
    const out = harness(tcpFlow).send(...sheetFlow())
    expect(out).toMatchObject([
      {
        topic: 'sniffer.tcp_flow_timing',
        time: T + 500,
        data: {
          src_ip: REMOTE,
          src_port: '40000',
          dst_ip: DECKY,
          dst_port: '443',
          packets: '7',
          bytes: '33',
          duration_s: '0.5',
          mean_iat_ms: '83.33',
          min_iat_ms: '10',
          max_iat_ms: '200',
          retransmits: '1',
          direction: 'inbound',
          decky: 'decky-a',
        },
      },
    ])
  })

  it('says nothing of a SYN and a RST within 5 ms', () => {
    const { remote, decky } = connection()
    const run = harness(tcpFlow)
    expect(run.send(remote(T, '', SYN), decky(T + 5, '', { flags: FLAG.rst }))).toEqual([])
    expect(run.state).toMatchObject({ keys: 0, timers: 0 })
    expect(run.advanceTo(T + 10_000_000)).toEqual([])
  })

  it('tells of a connection that fell silent, not yet 119 s later, but by 150 s later', () => {
    // The sweep is every 30 s from a round time on; the worst and the best place to begin.
    for (const start of [T - 3000, T - 2999, T - 1, T + 12_345]) {
      const { remote } = connection()
      const run = harness(tcpFlow)
      run.send(
        remote(start, '', SYN),
        ...[1, 2, 3].map((n) => remote(start + n * 1000, 'x', { flags: PUSH, seq: 100 + n })),
      )
      const last = start + 3000
      expect(run.advanceTo(last + 119_000)).toEqual([])
      const late = run.advanceTo(last + 150_000)
      expect(late).toMatchObject([{ data: { packets: '4', bytes: '3', duration_s: '3' } }])
      expect(run.state).toMatchObject({ keys: 0, timers: 0 })
    }
  })

  it('does not end a connection that is never silent for two minutes', () => {
    const { remote } = connection()
    const run = harness(tcpFlow)
    const out = Array.from({ length: 200 }, (_, n) =>
      run.send(remote(T + n * 100_000, 'x', { flags: PUSH, seq: n + 1 })),
    )
    expect(out.flat()).toEqual([])
    expect(run.state).toMatchObject({ keys: 1 })
    expect(run.state?.timers).toBeLessThan(8)
    expect(run.advanceTo(T + 30_000_000)).toMatchObject([{ data: { packets: '200' } }])
  })

  it('takes no padding of short frames for payload', () => {
    const { remote } = connection()
    const ack = (time: number, flags: number = FLAG.ack) => {
      const event = remote(time, '', { flags, seq: 101 })
      const frame = Buffer.concat([
        Buffer.from('02000000000a0200000000630800', 'hex'),
        Buffer.from(String(event.data.frame_b64), 'base64'),
        Buffer.alloc(6),
      ])
      const data = { link_type: 1, frame_b64: frame.toString('base64'), wire_length: 60 }
      return { ...event, data: { ...event.data, ...data } }
    }
    const run = harness(tcpFlow)
    const times = [0, 250, 500, 750]
    const out = run.send(...times.map((time) => ack(T + time)), ack(T + 1000, FLAG.rst))
    expect(out).toMatchObject([{ data: { packets: '5', bytes: '0', retransmits: '0' } }])
  })

  it('begins another record for what comes after the end', () => {
    const run = harness(tcpFlow)
    const again = sheetFlow().map((event) => ({ ...event, time: (event.time ?? 0) + 600 }))
    const out = run.send(...sheetFlow(), ...again)
    expect(out.map(({ data }) => data.packets)).toEqual(['7', '7'])
  })

  it('counts the same whichever batches the segments come in, and after a crash anywhere', () => {
    const { remote } = connection({ remotePort: 40_001 })
    const silent = [0, 1, 2].map((n) =>
      remote(T + 600 + n * 900, 'y', { flags: PUSH, seq: 7 + (n % 2) }),
    )
    const events = [...sheetFlow(), ...silent]
    const { straight, crashing } = withAndWithoutCrashes(tcpFlow, {}, events, T + 1e6)
    expect(straight).toHaveLength(2)
    expect(crashing).toEqual(straight)
    const atOnce = harness(tcpFlow)
    const out = [...atOnce.send(...events), ...atOnce.advanceTo(T + 1e6)]
    expect(out.map(({ data }) => data)).toEqual(straight.map(({ data }) => data))
  })

  it.each([
    ['a decky that connects out', {}, 'outbound'],
    ['two deckies', { marks: { internal: true } }, 'internal'],
  ])('names who opened it: %s', (_, ends, direction) => {
    const { remote, decky } = connection({ remotePort: 443, deckyPort: 50_000, ...ends })
    const run = harness(tcpFlow)
    const out = run.send(
      decky(T, '', SYN),
      remote(T + 500, '', SYN_ACK),
      decky(T + 900, 'x', { seq: 101 }),
      decky(T + 1100, '', { flags: FLAG.fin }),
    )
    expect(out).toMatchObject([{ data: { src_ip: REMOTE, dst_ip: DECKY, direction } }])
    // What a decky sends again is no retransmission of the remote.
    expect(out[0]?.data).toMatchObject({ packets: '4', bytes: '1', retransmits: '0' })
  })

  it('begins in the middle, too: who was connected to is the decky, unless a SYN-ACK says else', () => {
    const { remote, decky } = connection({ remotePort: 443, deckyPort: 50_000 })
    const begins = [decky(T, '', SYN), remote(T, '', SYN_ACK), remote(T, 'x'), decky(T, 'x')]
    const directions = begins.map((first) => {
      const run = harness(tcpFlow)
      const out = run.send(first, remote(T + 2000, '', { flags: FLAG.rst }))
      return out[0]?.data.direction
    })
    expect(directions).toEqual(['outbound', 'outbound', 'inbound', 'inbound'])
  })

  it('goes by the SYN where the ends were only guessed, whatever the ports are', () => {
    // `all`: the guess is by ports alone after the SYN, and the client has the lower one here.
    const ends = { remotePort: 20, deckyPort: 2000 }
    const { remote, decky } = connection({ ...ends, marks: { guessed: true } })
    const wrong = connection({ ...ends, marks: { guessed: true } })
    const swapped = (event: ReturnType<typeof remote>) => ({
      ...event,
      data: { ...event.data, from_decky: event.data.from_decky !== true },
    })
    for (const first of [remote(T, '', SYN), decky(T + 1, '', SYN_ACK)]) {
      const run = harness(tcpFlow)
      const out = run.send(
        first,
        swapped(wrong.remote(T + 700, 'x', { seq: 101 })),
        swapped(wrong.remote(T + 800, 'x', { seq: 101 })),
        swapped(wrong.decky(T + 900, 'yy', { seq: 901 })),
        swapped(wrong.remote(T + 1200, '', { flags: FLAG.fin })),
      )
      expect(out).toMatchObject([
        { data: { src_ip: REMOTE, src_port: '20', packets: '5', bytes: '4', retransmits: '1' } },
      ])
      expect(out[0]?.data.direction).toBe('inbound')
    }
  })

  it('takes time that goes back for no time', () => {
    const { remote } = connection()
    const run = harness(tcpFlow)
    const out = run.send(
      remote(T, '', SYN),
      remote(T + 100, 'a', { seq: 101 }),
      remote(T + 50, 'b', { seq: 102 }),
      remote(T + 60, '', { flags: FLAG.fin }),
    )
    expect(out).toMatchObject([{ data: { packets: '4', min_iat_ms: '0', max_iat_ms: '100' } }])
  })

  it('goes on counting connections after the clock was set back by an hour', () => {
    const run = harness(tcpFlow)
    run.send(...sheetFlow({ remotePort: 1 }))
    const back = sheetFlow({ remotePort: 2 }).map((event) => ({
      ...event,
      time: (event.time ?? 0) - 3_600_000,
    }))
    const out = back.flatMap((event) => run.send(event))
    expect(out).toMatchObject([{ data: { packets: '7', retransmits: '1', duration_s: '0.5' } }])
  })

  it('forgets the connection unheard of for longest, beyond max_keys, and counts it', () => {
    const run = harness(tcpFlow, { max_keys: 10 })
    const many = Array.from({ length: 50 }, (_, n) => connection({ remotePort: 1000 + n }))
    for (const { remote } of many) run.send(remote(T, 'x', { seq: 1 }), remote(T, 'x', { seq: 1 }))
    expect(run.state).toMatchObject({ keys: 10, evictedByCount: 40 })
    const flushed = run.advanceTo(T + 1e6)
    expect(flushed.map(({ data }) => data.src_port)).toEqual(
      Array.from({ length: 10 }, (_, n) => String(1040 + n)),
    )
    expect(run.state?.timers).toBe(0)
  })

  it('leaves alone what is not TCP, and sends what is no packet to the error port', () => {
    const run = harness(tcpFlow)
    expect(
      run.send({ time: 1, data: { link_type: 101, frame_b64: 'AAAA', wire_length: 3 } }),
    ).toEqual([])
    expect(run.errors).toEqual([])
    run.send({ time: 1, data: { frame_b64: 1 } })
    expect(run.errors).toMatchObject([{ data: { code: 'PACKET_JSON' } }])
  })
})
