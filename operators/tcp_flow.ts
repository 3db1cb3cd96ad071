/** How the segments of each TCP connection were timed, and which came again. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, type Event } from '../engine/index.ts'
import {
  addSegment,
  type FlowTiming,
  flowSummary,
  isTrivial,
  newFlow,
} from '../protocols/fingerprint/flow_timing.ts'
import { type Packet, PROTOCOL, TCP_FLAG } from '../protocols/packet/packet.ts'
import {
  connectionOf,
  type Direction,
  deckyOf,
  deckyPacket,
  directionOf,
  endpointsOfKey,
  isFromDecky,
  isTurned,
} from '../protocols/sniffer/decky_packet.ts'

/** One connection. */
interface Flow {
  timing?: FlowTiming
  /** event time reached when the last segment came, whatever time that says of itself; ms */
  heard?: number
  /** the second end of the key is the remote party; only where the ends are guessed */
  swapped?: boolean
  direction?: Direction
  decky?: string
}

const SYN_ACK = TCP_FLAG.SYN | TCP_FLAG.ACK

/** Event time between two looks for connections that have fallen silent, ms (spec/sniffer.md 7). */
const SWEEP = 30_000

export const tcpFlow = defineOperator({
  type: 'tcp_flow',
  summary: 'One event per TCP connection: packets, bytes, gaps between them, retransmissions.',
  promise:
    'Exact across restarts. Emitted at FIN or RST, or within 30 s of being idle too long; a ' +
    'connection that is forgotten (`max_keys`) gives no event. Fewer than 4 packets in less than a ' +
    'second, nothing sent again: no event either.',
  config: Type.Object({
    idle: duration({
      default: '120s',
      description: 'Silence after which a connection is over.',
    }),
  }),
  state: Type.Object({
    timing: Type.Optional(Type.Unknown({ description: 'Counts, times and sequence numbers.' })),
    heard: Type.Optional(Type.Number({ description: 'Event time of the last segment (ms).' })),
    swapped: Type.Optional(
      Type.Boolean({ description: 'The second end of the key is the remote party.' }),
    ),
    direction: Type.Optional(Type.String({ description: 'Who opened it.' })),
    decky: Type.Optional(Type.String({ description: 'Name of the decky.' })),
  }),
  examples: [
    { title: 'As the sniffer has it', yaml: 'type: tcp_flow\nmax_keys: 65536' },
    {
      title: 'A connection of four packets',
      yaml: 'type: tcp_flow',
      run: {
        send: [
          {
            time: 0,
            data: {
              link_type: 101,
              frame_b64: 'RQAAKAABQABABgAAywBxB8AAAgqcQAAWAAAAZAAAAABQAvrwAAAAAA==',
              wire_length: 40,
              decky: 'decky-a',
              from_decky: false,
            },
          },
          {
            time: 100,
            data: {
              link_type: 101,
              frame_b64: 'RQAAKAABQABABgAAywBxB8AAAgqcQAAWAAAAZQAAAAFQEPrwAAAAAA==',
              wire_length: 40,
              decky: 'decky-a',
              from_decky: false,
            },
          },
          {
            time: 200,
            data: {
              link_type: 101,
              frame_b64: 'RQAAKQABQABABgAAywBxB8AAAgqcQAAWAAAAZQAAAAFQGPrwAAAAAHg=',
              wire_length: 41,
              decky: 'decky-a',
              from_decky: false,
            },
          },
          {
            time: 300,
            data: {
              link_type: 101,
              frame_b64: 'RQAAKAABQABABgAAywBxB8AAAgqcQAAWAAAAZgAAAAFQEfrwAAAAAA==',
              wire_length: 40,
              decky: 'decky-a',
              from_decky: false,
            },
          },
        ],
        expect: [
          {
            topic: 'sniffer.tcp_flow_timing',
            data: {
              packets: '4',
              bytes: '1',
              duration_s: '0.3',
              mean_iat_ms: '100',
              retransmits: '0',
              direction: 'inbound',
            },
          },
        ],
      },
    },
  ],
  keyed: ({ idle }) => ({
    wants: (event) => deckyPacket(event)?.protocol === PROTOCOL.TCP,
    key: connectionOf,
    init: (): Flow => ({}),
    step(flow: Flow, event, timers) {
      const packet = deckyPacket(event) as Packet
      if (!flow.timing) begin(flow, event, packet)
      const timing = flow.timing as FlowTiming
      const isOver = addSegment(timing, {
        time: event.time,
        fromRemote: isTurned(event, packet) === (flow.swapped === true),
        seq: packet.seq,
        payloadLength: packet.wirePayloadLength,
        flags: packet.tcpFlags,
      })
      // Behind a clock that was set back each segment would be silent since long ago.
      flow.heard = timers.now()
      if (!isOver) {
        timers.at(sweepAfter(flow.heard + idle))
        return undefined
      }
      timers.forget()
      return flowEvent(flow, connectionOf(event), event.time)
    },
    onTimer(flow: Flow, time, key, timers) {
      if (flow.heard !== undefined && sweepAfter(flow.heard + idle) > time) return undefined
      timers.forget()
      return flowEvent(flow, key, time)
    },
  }),
})

/** The first sweep that finds a silence that began to count at `time`. */
const sweepAfter = (time: number): number => (Math.floor(time / SWEEP) + 1) * SWEEP

function begin(flow: Flow, event: Event, packet: Packet): void {
  const isAnswer = (packet.tcpFlags & SYN_ACK) === SYN_ACK
  const isFirst = !isAnswer && (packet.tcpFlags & TCP_FLAG.SYN) !== 0
  const fromDecky = isFromDecky(event)
  const isGuess = event.data.guessed === true
  // Where the ends were only guessed, who answers a SYN is the decky.
  const fromRemote = isGuess && (isAnswer || isFirst) ? isFirst : !fromDecky
  flow.timing = newFlow(event.time)
  if (isTurned(event, packet) === fromRemote) flow.swapped = true
  flow.direction = directionOf(event, isGuess || !(fromDecky ? isFirst : isAnswer))
  flow.decky = deckyOf(event)
}

function flowEvent(
  { timing, swapped = false, direction, decky }: Flow,
  key: string,
  time: number,
): Draft | undefined {
  if (!timing || isTrivial(timing)) return undefined
  const summary = flowSummary(timing)
  const texts = Object.entries(summary).map(([name, value]) => [name, String(value)])
  return {
    topic: 'sniffer.tcp_flow_timing',
    time,
    data: { ...endpointsOfKey(key, swapped), ...Object.fromEntries(texts), direction, decky },
  }
}
