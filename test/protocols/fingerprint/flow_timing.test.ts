import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  addSegment,
  type FlowSegment,
  type FlowTiming,
  flowSummary,
  isTrivial,
  newFlow,
} from '../../../protocols/fingerprint/flow_timing.ts'

const START = 1_767_323_045_678.901

const segment = (time: number, changes: Partial<FlowSegment> = {}): FlowSegment => ({
  time: START + time,
  fromRemote: true,
  seq: 100,
  payloadLength: 0,
  flags: 0x10,
  ...changes,
})

function flowOf(...segments: FlowSegment[]): FlowTiming {
  const flow = newFlow(segments[0]?.time ?? START)
  for (const one of segments) addSegment(flow, one)
  return flow
}

it('times a short conversation with one segment sent twice', () => {
  const flow = flowOf(
    segment(0, { flags: 2 }),
    segment(10, { fromRemote: false, flags: 0x12 }),
    segment(20, { seq: 101 }),
    segment(120, { seq: 101, payloadLength: 11 }),
    segment(320, { seq: 101, payloadLength: 11 }),
    segment(370, { fromRemote: false, payloadLength: 11 }),
    segment(500, { seq: 112, flags: 0x11 }),
  )
  expect(flowSummary(flow)).toEqual({
    packets: 7,
    bytes: 33,
    duration_s: 0.5,
    mean_iat_ms: 83.33,
    min_iat_ms: 10,
    max_iat_ms: 200,
    retransmits: 1,
  })
})

it('tells the end of a flow by FIN or RST', () => {
  const flow = newFlow(START)
  const ends = [0x02, 0x10, 0x18, 0x11, 0x04].map((flags) =>
    addSegment(flow, segment(0, { flags })),
  )
  expect(ends).toEqual([false, false, false, true, true])
})

it('has nothing to tell of a SYN and its RST, but of a slow or repeating flow', () => {
  expect(isTrivial(flowOf(segment(0, { flags: 2 }), segment(5, { flags: 4 })))).toBe(true)
  expect(isTrivial(flowOf(segment(0), segment(1000)))).toBe(false)
  expect(isTrivial(flowOf(segment(0), segment(999.999)))).toBe(true)
  const data = { payloadLength: 1 }
  expect(isTrivial(flowOf(segment(0, data), segment(1, data)))).toBe(false)
  const four = [0, 1, 2, 3].map((time) => segment(time))
  expect(isTrivial(flowOf(...four))).toBe(false)
})

it('sums a single packet up as zeros', () => {
  expect(flowSummary(flowOf(segment(0, { payloadLength: 3 })))).toEqual({
    packets: 1,
    bytes: 3,
    duration_s: 0,
    mean_iat_ms: 0,
    min_iat_ms: 0,
    max_iat_ms: 0,
    retransmits: 0,
  })
})

it('takes a packet from the past to have come at once', () => {
  const flow = flowOf(segment(0), segment(10), segment(5), segment(20))
  expect(flowSummary(flow)).toMatchObject({ min_iat_ms: 0, max_iat_ms: 15, duration_s: 0.02 })
  expect(flowSummary(flowOf(segment(100), segment(0)))).toMatchObject({
    duration_s: 0,
    mean_iat_ms: 0,
  })
})

it('counts as sent again only data of the remote end', () => {
  const data = { payloadLength: 5 }
  const flow = flowOf(
    segment(0),
    segment(1),
    segment(2, { ...data, fromRemote: false }),
    segment(3, { ...data, fromRemote: false }),
    segment(4, data),
    segment(5, { ...data, seq: 105 }),
  )
  expect(flow.retransmits).toBe(0)
  addSegment(flow, segment(6, data))
  addSegment(flow, segment(7, { payloadLength: 1 }))
  expect(flow.retransmits).toBe(2)
})

it('keeps no list until the remote end sends data, and never a long one', () => {
  expect(flowOf(segment(0, { flags: 2 })).seen).toBeUndefined()
  const kept = (seqs: number[]) => {
    const flow = flowOf(...seqs.map((seq) => segment(seq, { seq, payloadLength: 1 })))
    expect((flow.seen?.length ?? 0) + (flow.seenBefore?.length ?? 0)).toBeLessThanOrEqual(4096)
    return flow
  }
  const upwards = Array.from({ length: 10_000 }, (_, seq) => seq)
  const up = kept(upwards)
  const down = kept(upwards.toReversed())
  expect([up.retransmits, down.retransmits]).toEqual([0, 0])
  for (const flow of [up, down]) {
    addSegment(flow, segment(0, { seq: flow === up ? 8000 : 2000, payloadLength: 1 }))
    expect(flow.retransmits).toBe(1)
  }
})

it('remembers 4096 sequence numbers', () => {
  const seqs = Array.from({ length: 4096 }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 0)
  const flow = flowOf(
    ...[...seqs, ...seqs].map((seq, time) => segment(time, { seq, payloadLength: 1 })),
  )
  expect(flow.retransmits).toBe(4096)
})

it('goes on after a checkpoint as before, in any order of arrival', () => {
  const anySegment = fc.record({
    time: fc.integer({ min: -1000, max: 1000 }),
    fromRemote: fc.boolean(),
    seq: fc.oneof(fc.nat(5), fc.nat(0xffffffff)),
    payloadLength: fc.nat(3),
    flags: fc.nat(511),
  })
  fc.assert(
    fc.property(fc.array(anySegment, { minLength: 1 }), fc.nat(), (segments, cut) => {
      const whole = flowOf(...segments)
      let flow = newFlow(segments[0]?.time ?? 0)
      const seen = new Set<number>()
      let again = 0
      for (const [at, one] of segments.entries()) {
        if (at === cut % segments.length) flow = JSON.parse(JSON.stringify(flow)) as FlowTiming
        addSegment(flow, one)
        if (!one.fromRemote || one.payloadLength === 0) continue
        if (seen.has(one.seq)) again += 1
        seen.add(one.seq)
      }
      expect(flow).toEqual(whole)
      expect(flow.retransmits).toBe(again)
      const summary = flowSummary(flow)
      expect(Object.values(summary).every((value) => value >= 0)).toBe(true)
      expect(summary.min_iat_ms).toBeLessThanOrEqual(summary.max_iat_ms)
    }),
  )
})
