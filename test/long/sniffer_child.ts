/** Runs the sniffer, as it is shipped, on packets that an attacker would make; tells what it took. */
import { readFileSync } from 'node:fs'
import { Type } from 'typebox'
import { busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { silentLog } from '../../engine/context.ts'
import { type AnySource, makeRegistry } from '../../engine/define.ts'
import { defineSource } from '../../engine/index.ts'
import type { NodeReport } from '../../engine/report.ts'
import { startPipelines } from '../../engine/run.ts'
import { packetData } from '../../protocols/packet/packet_data.ts'
import { compiled, overFile } from '../pipelines/sniffing.ts'
import { ipv4, patched, SYN, tcp } from '../protocols/packet/frames.ts'
import { hex, message, record } from '../protocols/tls/hello_bytes.ts'

export interface SnifferTask {
  readonly stateDir: string
  /** of a decky at 192.0.2.10 */
  readonly stateFile: string
  readonly kind: keyof typeof FLOODS
  readonly packets: number
}
export interface SnifferResult {
  /** the most that was resident during each tenth of the packets, MB */
  readonly tenths: readonly number[]
  /** what was alive as each tenth began, buffers included and garbage collected, MB */
  readonly live: readonly number[]
  readonly seconds: number
  readonly nodes: Readonly<Record<string, NodeReport>>
}

const START = Date.UTC(2026, 2, 1)
const SEGMENT = 1448

/** Bytes that cost six times their number in a checkpoint. */
const filler = (length: number): Buffer => Buffer.alloc(length, 1)

/** A handshake message over as many records as it takes. */
function handshake(type: number, length: number): Buffer {
  const whole = message(type, filler(length))
  const records: Buffer[] = []
  for (let at = 0; at < whole.length; at += 16_384) {
    records.push(record(22, whole.subarray(at, at + 16_384)))
  }
  return Buffer.concat(records)
}

/** A hello, a ServerHello and an SSH packet as long as they may be, cut before their last byte. */
const CLIENT = handshake(1, 16_300).subarray(0, -1)
const SERVER = handshake(2, 65_400).subarray(0, -1)
const BANNER = Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), hex('00003ff00414'), filler(16_300)])

/** Segment `n` of a flood of connections that all send `stream`, each from a source of its own. */
function segment(n: number, stream: Buffer, src = 1024): Buffer {
  const each = Math.ceil(stream.length / SEGMENT)
  const at = (n % each) * SEGMENT
  const frame = ipv4(6, tcp(stream.subarray(at, at + SEGMENT), { src, seq: 1 + at }))
  frame.writeUInt32BE(sourceOf(Math.floor(n / each)), 12)
  return frame
}

/** 4 billion addresses, in an order of no use to anybody, none that of the decky. */
const sourceOf = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 0

/** Packet `n` of each kind of flood. */
const FLOODS = {
  syns: (n: number) => {
    const frame = patched(SYN, 12, Buffer.alloc(4))
    frame.writeUInt32BE(sourceOf(n), 12)
    frame.writeUInt32BE(Math.imul(n, 0x85ebca6b) >>> 0, 24)
    return frame
  },
  strangers: (n: number) =>
    ipv4(6, tcp('x'), { src: '198.51.100.1', dst: `198.51.100.${n & 127}` }),
  clients: (n: number) => segment(n, CLIENT),
  servers: (n: number) => segment(n, SERVER),
  banners: (n: number) => segment(n, BANNER),
  unfinished: (n: number) =>
    segment(Math.floor(n / 3), [CLIENT, SERVER, BANNER][n % 3] as Buffer, 1024 + (n % 3)),
} as const

const CHUNK = 256
const tenths: number[] = []
const live: number[] = []

/** 100,000 packets a second of event time. */
const flood = defineSource({
  type: 'flood',
  summary: 'Packets of an attacker.',
  promise: 'None.',
  config: Type.Object({
    kind: Type.String({ description: 'Which.' }),
    packets: Type.Integer({ description: 'How many.' }),
  }),
  examples: [],
  replayable: false,
  async *read({ kind, packets }) {
    const make = FLOODS[kind as keyof typeof FLOODS]
    for (let given = 0; given < packets; given += CHUNK) {
      const events = Array.from({ length: Math.min(CHUNK, packets - given) }, (_, at) => {
        const frame = make(given + at)
        const time = START + (given + at) / 100
        const rest = { start: 0, end: frame.length, linkType: 101, wireLength: frame.length }
        return { topic: 'pcap.packet', time, data: packetData(frame, time, rest) }
      })
      const tenth = Math.floor((10 * given) / packets)
      if (live[tenth] === undefined) {
        globalThis.gc?.()
        const { heapUsed, external } = process.memoryUsage()
        live[tenth] = (heapUsed + external) / 2 ** 20
      }
      tenths[tenth] = Math.max(tenths[tenth] ?? 0, process.memoryUsage.rss() / 2 ** 20)
      yield { events, position: given }
    }
  },
  fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
})

const { stateDir, stateFile, kind, packets } = JSON.parse(readFileSync(0, 'utf8')) as SnifferTask
const bus = memoryBus()
const text = overFile('sniffer', 'x').replace(
  /packets: \{[^}]*\}/,
  `packets: { type: flood, kind: ${kind}, packets: ${packets} }`,
)
const env = { DECNET_STATE_FILE: stateFile, DECNET_INGEST_LOG_FILE: '/dev/null' }
const from = makeRegistry([...registry.values(), flood as unknown as AnySource])
const running = await startPipelines({
  plans: [compiled(text, 'sniffer.yaml', env, from)],
  stateDir,
  use: async ({ name }) => {
    if (name === busResource.name) return bus as never
    throw new Error(`no ${name} here`)
  },
  log: silentLog,
})
const report = await running.done
await bus.close()
if (report.outcome !== 'completed') throw report.error
const result: SnifferResult = {
  tenths,
  live,
  seconds: report.wallSeconds,
  nodes: report.pipelines.sniffer?.nodes ?? {},
}
process.stdout.write(JSON.stringify(result))
