/** Notes what passes each edge of a replay, 32 bytes an event, so that two runs can be compared. */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Batch } from './batch.ts'
import { RECORD_BYTES, type RecordWriter, recordWriter } from './edge_record.ts'
import { type EventText, textOrId } from './event_text.ts'
import { portsOf } from './operator_runner.ts'
import type { Plan, PlanNode } from './plan.ts'
import { portKey } from './plan_edges.ts'
import type { Taps } from './taps.ts'

/** Folder in the directory of a replay. */
const EDGES = 'edges'

/** What left one port: every edge that reads it carries the same. */
export interface PortLogHead {
  /** `node` or `node.port` */
  readonly port: string
  readonly count: number
  /** Rolling hash: SHA-256 over all records, in order. */
  readonly sha256: string
}

/** One node as the comparison has to know it. */
export interface LoggedNode {
  readonly id: string
  readonly section: PlanNode['section']
  readonly type: string
  /** `node` or `node.port`, in the order of the file */
  readonly inputs: readonly string[]
}

/** `edges/<pipeline>.json` */
export interface EdgeLogHead {
  readonly version: 2
  readonly pipeline: string
  /** every node after its inputs */
  readonly nodes: readonly LoggedNode[]
  readonly ports: readonly PortLogHead[]
}

export interface EdgeLog {
  /** Port key → what notes its batches. */
  readonly taps: Taps
  /** Writes what is still held, and the head. */
  finish(): void
  /** Lets go of the files; without `finish` there is no head, and no comparison. */
  close(): void
}

/** @returns the keys of everything that can leave a node, its error port last */
function portKeys(node: PlanNode): string[] {
  const ports =
    node.section === 'sources' ? [''] : node.section === 'operators' ? portsOf(node) : []
  return [...ports, 'errors'].map((port) => portKey(node.id, port))
}

export const edgeLogFile = (dir: string, pipeline: string): string =>
  join(dir, EDGES, `${pipeline}.json`)

export const portLogFile = (dir: string, pipeline: string, port: string): string =>
  join(dir, EDGES, `${pipeline}.${port}.bin`)

/**
 * Starts the log of one pipeline; what an earlier replay left there goes.
 * @param dir directory of the replay
 */
export function openEdgeLog(dir: string, plan: Plan, text: EventText): EdgeLog {
  mkdirSync(join(dir, EDGES), { recursive: true })
  rmSync(edgeLogFile(dir, plan.name), { force: true })
  const write = recordWriter((event) => textOrId(text, event))
  const logs = plan.nodes.flatMap(portKeys).map((port) => {
    const file = portLogFile(dir, plan.name, port)
    rmSync(file, { force: true })
    return new PortLog(port, file, write)
  })
  const close = () => {
    for (const log of logs) log.close()
  }
  return {
    taps: new Map(logs.map((log) => [log.port, (batch) => log.add(batch)])),
    finish() {
      for (const log of logs) log.flush()
      const head: EdgeLogHead = {
        version: 2,
        pipeline: plan.name,
        nodes: plan.nodes.map(loggedNode),
        ports: logs.map((log) => log.head()),
      }
      writeFileSync(edgeLogFile(dir, plan.name), `${JSON.stringify(head, null, 2)}\n`)
    },
    close,
  }
}

function loggedNode(node: PlanNode): LoggedNode {
  const { id, section, component } = node
  const inputs = node.section === 'sources' ? [] : node.inputs
  return { id, section, type: component.type, inputs: inputs.map((e) => portKey(e.from, e.port)) }
}

/** Records held before they are written: 64 KiB a port. */
const HELD = 2048

class PortLog {
  readonly port: string
  readonly #file: string
  readonly #write: RecordWriter
  readonly #rolling: Hash = createHash('sha256')
  // Most ports of a pipeline stay silent: what they need comes with their first event.
  #held: Buffer | undefined
  #used = 0
  #handle: number | undefined
  #count = 0

  constructor(port: string, file: string, write: RecordWriter) {
    this.port = port
    this.#file = file
    this.#write = write
  }

  add({ events }: Batch): void {
    for (const event of events) {
      this.#held ??= Buffer.allocUnsafe(HELD * RECORD_BYTES)
      this.#write(event, this.#held, this.#used)
      this.#used += RECORD_BYTES
      if (this.#used === this.#held.length) this.flush()
    }
    this.#count += events.length
  }

  flush(): void {
    if (!this.#held || this.#used === 0) return
    const bytes = this.#held.subarray(0, this.#used)
    this.#rolling.update(bytes)
    this.#handle ??= openSync(this.#file, 'w')
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#handle, bytes, done)
    this.#used = 0
  }

  head(): PortLogHead {
    return { port: this.port, count: this.#count, sha256: this.#rolling.copy().digest('hex') }
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle)
    this.#handle = undefined
  }
}
