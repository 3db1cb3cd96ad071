/** Packets as the operators of the sniffer get them, for tests. */
import type { TestEvent } from '../../engine/harness.ts'
import { ipv4, tcp } from '../protocols/packet/frames.ts'

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const

export const REMOTE = '203.0.113.7'
export const DECKY = '192.0.2.10'
export const DECKIES = { [DECKY]: 'decky-a', '192.0.2.11': 'decky-b' }

/** A frame without a link header, with what `decky_filter` adds where it is given. */
export const frameEvent = (
  frame: Buffer,
  time: number,
  marks: Readonly<Record<string, unknown>> = {},
): TestEvent => ({
  topic: 'sniffer.packet',
  time,
  data: {
    link_type: 101,
    frame_b64: frame.toString('base64'),
    wire_length: frame.length,
    ...marks,
  },
})

interface Ends {
  readonly remote?: string
  readonly remotePort?: number
  readonly decky?: string
  readonly deckyPort?: number
  /** further marks, e.g. `{ internal: true }` */
  readonly marks?: Readonly<Record<string, unknown>>
}

interface SegmentParts {
  readonly flags?: number
  readonly seq?: number
  readonly ack?: number
}

/** One connection: makes events of segments in either direction. */
export function connection(ends: Ends = {}) {
  const { remote = REMOTE, remotePort = 40_000, decky = DECKY, deckyPort = 443, marks } = ends
  const make =
    (fromDecky: boolean) =>
    (time: number, payload: Buffer | string = '', parts: SegmentParts = {}): TestEvent => {
      const [src, dst] = fromDecky ? [decky, remote] : [remote, decky]
      const ports = fromDecky
        ? { src: deckyPort, dst: remotePort }
        : { src: remotePort, dst: deckyPort }
      const frame = ipv4(6, tcp(payload, { ...ports, ...parts }), { src, dst })
      return frameEvent(frame, time, { decky: 'decky-a', from_decky: fromDecky, ...marks })
    }
  return { remote: make(false), decky: make(true) }
}

/** `bytes` in segments of `size`, one ms apart, the first with sequence number `seq`. */
export function segments(
  make: ReturnType<typeof connection>['remote'],
  bytes: Buffer,
  size: number,
  { time = 1000, seq = 101 } = {},
): TestEvent[] {
  const made: TestEvent[] = []
  for (let at = 0; at < bytes.length; at += size) {
    made.push(make(time + made.length, bytes.subarray(at, at + size), { seq: seq + at }))
  }
  return made
}

/** `bytes` in two segments, cut at `at`. */
export const cutAt = (
  make: ReturnType<typeof connection>['remote'],
  bytes: Buffer,
  at: number,
  { time = 1000, seq = 101 } = {},
): [TestEvent, TestEvent] => [
  make(time, bytes.subarray(0, at), { seq }),
  make(time + 1, bytes.subarray(at), { seq: seq + at }),
]
