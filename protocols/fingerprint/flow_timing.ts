/** When the segments of one TCP flow came, and which came again. */

/** Plain JSON, so that a checkpoint can hold it. Times in ms since the epoch, gaps in whole µs. */
export interface FlowTiming {
  readonly firstTime: number
  lastTime: number
  packets: number
  /** TCP payload, both ways */
  bytes: number
  gapSum: number
  gapMin: number
  gapMax: number
  retransmits: number
  /** sequence numbers with payload, ascending; not there until the remote has sent some */
  seen?: number[]
  /** those before `seen` was full */
  seenBefore?: number[]
}

/** A TCP segment of the flow; `time` in ms since the epoch, fractions to the microsecond. */
export interface FlowSegment {
  readonly time: number
  readonly fromRemote: boolean
  /** unsigned 32 bits */
  readonly seq: number
  /** bytes, as the IP header tells, not as captured */
  readonly payloadLength: number
  /** see `TCP_FLAG` */
  readonly flags: number
}

/** The fields of a `tcp_flow_timing` event, by their wire names. */
export interface FlowSummary {
  readonly packets: number
  readonly bytes: number
  /** 3 decimals */
  readonly duration_s: number
  /** 2 decimals, as the two below; all 0 for a single packet */
  readonly mean_iat_ms: number
  readonly min_iat_ms: number
  readonly max_iat_ms: number
  readonly retransmits: number
}

/** A flow of which no segment has been counted yet; `time` is that of the first. */
export function newFlow(time: number): FlowTiming {
  return {
    firstTime: time,
    lastTime: time,
    packets: 0,
    bytes: 0,
    gapSum: 0,
    gapMin: 0,
    gapMax: 0,
    retransmits: 0,
  }
}

/**
 * Counts a segment. One that is older than the one before it came at once after it.
 * @returns whether the flow ends with it (FIN or RST): what follows belongs to a new flow
 */
export function addSegment(flow: FlowTiming, segment: FlowSegment): boolean {
  if (flow.packets > 0) {
    // Whole microseconds: a sum of fractions would drift, and clocks of captures are no finer.
    const gap = Math.max(0, Math.round((segment.time - flow.lastTime) * 1000))
    flow.gapSum += gap
    flow.gapMin = flow.packets === 1 ? gap : Math.min(flow.gapMin, gap)
    flow.gapMax = Math.max(flow.gapMax, gap)
  }
  flow.lastTime = segment.time
  flow.packets += 1
  flow.bytes += segment.payloadLength
  if (segment.fromRemote && segment.payloadLength > 0 && !remember(flow, segment.seq)) {
    flow.retransmits += 1
  }
  return (segment.flags & FIN_OR_RST) !== 0
}

/** What a flow comes to; can be asked at any time. */
export function flowSummary(flow: FlowTiming): FlowSummary {
  const gaps = Math.max(1, flow.packets - 1)
  return {
    packets: flow.packets,
    bytes: flow.bytes,
    duration_s: rounded(durationMs(flow) / 1000, 3),
    mean_iat_ms: rounded(flow.gapSum / gaps / 1000, 2),
    min_iat_ms: rounded(flow.gapMin / 1000, 2),
    max_iat_ms: rounded(flow.gapMax / 1000, 2),
    retransmits: flow.retransmits,
  }
}

/** Whether a flow is too small to tell of: under 4 packets, under a second, nothing sent again. */
export function isTrivial(flow: FlowTiming): boolean {
  return flow.packets < 4 && flow.retransmits === 0 && durationMs(flow) < 1000
}

const FIN_OR_RST = 0x001 | 0x004

/** Sequence numbers that are remembered per flow, in two halves of which the older goes first. */
const HALF = 2048

/** Times are floats of about 0.2 µs at today's epoch: the sub-microsecond part is noise. */
function durationMs(flow: FlowTiming): number {
  return Math.max(0, Math.round((flow.lastTime - flow.firstTime) * 1000) / 1000)
}

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals))

/** @returns false for a number that was there already */
function remember(flow: FlowTiming, seq: number): boolean {
  if (flow.seenBefore && placeOf(flow.seenBefore, seq) < 0) return false
  if (!flow.seen) {
    flow.seen = [seq]
    return true
  }
  const place = placeOf(flow.seen, seq)
  if (place < 0) return false
  if (flow.seen.length >= HALF) {
    flow.seenBefore = flow.seen
    flow.seen = [seq]
  } else if (place === flow.seen.length) flow.seen.push(seq)
  else flow.seen.splice(place, 0, seq)
  return true
}

/** Where `seq` goes in an ascending list; -1 where it is. */
function placeOf(ascending: readonly number[], seq: number): number {
  let low = 0
  let high = ascending.length
  // Most segments carry on where the last one ended.
  if (high > 0 && (ascending[high - 1] ?? 0) < seq) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = ascending[middle] ?? 0
    if (there === seq) return -1
    if (there < seq) low = middle + 1
    else high = middle
  }
  return low
}
