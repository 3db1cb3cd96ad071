/** Captures through the pipelines of the sniffer, in this process; for tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from 'typebox'
import { busResource } from '../../bus/bus.ts'
import type { Message } from '../../bus/envelope.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { type SniffOptions, sniffPipeline } from '../../cli/sniff_pipeline.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import { type AnySink, makeRegistry } from '../../engine/define.ts'
import { defineSink, type Event } from '../../engine/index.ts'
import type { Plan } from '../../engine/plan.ts'
import { replay } from '../../engine/replay.ts'
import type { RunReport } from '../../engine/report.ts'
import { startPipelines } from '../../engine/run.ts'
import { pcapHeader, pcapRecord } from '../../protocols/pcap/capture_writer.ts'
import { type Database, database } from '../../store/database.ts'

const RAW_IP = 101

/** A capture of packets without a link header. */
export const captureOf = (packets: readonly { frame: Buffer; time: number }[]): Buffer =>
  Buffer.concat([pcapHeader(RAW_IP), ...packets.map(({ frame, time }) => pcapRecord(frame, time))])

/** @throws {Error} with the problems, where the text is no pipeline */
export function compiled(text: string, name: string, env = {}, from = registry): Plan {
  const { plan, problems } = compilePipeline(text, name, { registry: from, env })
  if (!plan) throw new Error(JSON.stringify(problems))
  return plan
}

/** What `decnet sniff FILE --all` finds, without printing it. */
export async function sniff(
  file: string,
  options: Partial<SniffOptions> = {},
  batchSize?: number,
): Promise<Event[]> {
  const found: Event[] = []
  const printed = defineSink({
    type: 'printed',
    summary: 'Keeps what the sniffer finds.',
    promise: 'At least once.',
    effect: 'at_least_once',
    internal: true,
    config: Type.Object({ json: Type.Boolean({ description: 'As the command has it.' }) }),
    examples: [],
    open: () => ({
      write: async (events) => {
        found.push(...events)
        return undefined
      },
    }),
  })
  const text = sniffPipeline({
    ...{ capture: { file }, deckies: {}, all: true, p0fFile: undefined, json: true },
    dedup: undefined,
    ...options,
  })
  const from = makeRegistry([...registry.values(), printed as unknown as AnySink])
  const report = await replay({
    plans: [compiled(text, 'sniff', {}, from)],
    captures: [{ file }],
    writeDatabase: false,
    use: async ({ name }) => {
      throw new Error(`no ${name} here`)
    },
    log: silentLog,
    batchSize,
  })
  if (report.outcome !== 'completed') throw report.error
  return found
}

const shipped = (name: string) =>
  readFileSync(join(import.meta.dirname, `../../pipelines/${name}.yaml`), 'utf8')

/** A pipeline as it is shipped, over a file that ends. */
export function overFile(name: 'sniffer' | 'ingest', file: string): string {
  const source = name === 'sniffer' ? 'packets' : 'lines'
  const input =
    name === 'sniffer'
      ? `{ type: pcap, file: ${JSON.stringify(file)} }`
      : `{ type: syslog_file, path: ${JSON.stringify(file)}, follow: false }`
  return shipped(name)
    .replace(
      /\nsources:\n[\s\S]*?\noperators:\n/,
      `\nsources:\n  ${source}: ${input}\noperators:\n`,
    )
    .replace(/\ntests:\n[\s\S]*/, '\n')
}

export interface LiveRun {
  readonly report: RunReport
  /** what was published meanwhile */
  readonly messages: readonly Message[]
}

/**
 * Runs a pipeline live until its source ends, with a bus in memory.
 * @param rows the database that it gets where it asks for one
 */
export async function run(plan: Plan, stateDir: string, rows?: Database): Promise<LiveRun> {
  const bus = memoryBus()
  const reader = await (await bus.connect('reader')).subscribe(['>'])
  const use: ResourceUse = async ({ name }) => {
    if (name === busResource.name) return bus as never
    if (name === database.name && rows) return rows as never
    throw new Error(`no ${name} here`)
  }
  const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
  const report = await running.done
  await bus.close()
  if (report.outcome === 'failed') throw report.error
  return { report, messages: (await reader.take(100_000)) ?? [] }
}
