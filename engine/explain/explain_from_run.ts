/** Tells the way of one event from what a finished replay left behind, without replaying. */
import { hash } from 'node:crypto'
import { type LoggedRun, loggedRuns } from '../diff/edge_log_head.ts'
import { fieldChanges } from '../diff/field_changes.ts'
import { findEvent } from '../diff/find_event.ts'
import { logRows } from '../diff/rows.ts'
import { runFiles } from '../diff/run_files.ts'
import { type LoggedNode, portLogFile } from '../edge_log.ts'
import type { Event } from '../event.ts'
import { deriveId } from '../ids.ts'
import type { Explained } from './explain_event.ts'
import { type HandedOn, type Step, type StepKind, Trail } from './trail.ts'

/** Events made of one by one node that are looked for: their ids hang on their number. */
const MAX_MADE = 32

/** Generations looked back for, at most. */
const MAX_ANCESTORS = 16

/** Where a followed event was seen: port key → its digests there. */
type Seen = Map<string, { time: number; digest: string }>

/**
 * Knows ports, not reasons: those are told by a replay. What a timer made is not told apart from
 * what a source read. Fields are compared where both forms of the event have reached a sink.
 * @param dir what `replay --sink` was given
 * @throws {EngineError} `NOT_A_REPLAY` or `EDGE_LOG` when there is nothing to read
 */
export async function explainFromRun(id: string, dir: string): Promise<Explained> {
  const runs = loggedRuns(dir)
  const ids = [id]
  const origins: Explained['ancestors'][number][] = []
  while (ids.length < MAX_ANCESTORS) {
    const origin = await findOrigin(ids[0] as string, runs)
    if (!origin || ids.includes(origin.id)) break
    ids.unshift(origin.id)
    origins.unshift(origin)
  }
  const trail = new Trail(ids)
  for (const run of runs) await new RunReader(run, trail).read(ids)
  const comesFrom = new Set([id])
  for (const [made, origin] of trail.origins) if (comesFrom.has(origin.id)) comesFrom.add(made)
  const events = [...ids.filter((one) => one !== id), ...comesFrom]
  const steps = trail.steps.filter(({ event }) => events.includes(event))
  const told = events.filter((event) => steps.some((step) => step.event === event))
  return { id, found: steps.length > 0, ancestors: origins, events: told, steps, cut: trail.cut }
}

/** Ids are noted as 16 bytes; one that is no hex by its hash. */
const noted = (id: string): string =>
  /^[0-9a-f]{32}$/.test(id) ? id : hash('sha256', id, 'hex').slice(0, 32)

const portsOf = (node: LoggedNode, run: LoggedRun): string[] =>
  run.head.ports
    .filter(({ port, count }) => count > 0 && (port === node.id || port.startsWith(`${node.id}.`)))
    .map(({ port }) => port)

async function findOrigin(id: string, runs: readonly LoggedRun[]) {
  for (const run of runs) {
    for (const node of run.head.nodes) {
      if (node.section !== 'operators') continue
      if (!(await isAmong(id, portsOf(node, run), run))) continue
      // The first node that hands it on is the one that made it, unless it read it.
      if (await isAmong(id, node.inputs, run)) return undefined
      return await parentAt(id, node, run)
    }
  }
  return undefined
}

async function isAmong(id: string, ports: readonly string[], run: LoggedRun): Promise<boolean> {
  const wanted = noted(id)
  for (const port of ports) {
    for await (const rows of logRows(portLogFile(run.dir, run.head.pipeline, port))()) {
      if (rows.some((row) => row.id === wanted)) return true
    }
  }
  return false
}

async function parentAt(id: string, node: LoggedNode, { dir, head }: LoggedRun) {
  // Most nodes make one event of one, so the first number is tried on all before the others.
  for (let number = 0; number < MAX_MADE; number++) {
    for (const port of node.inputs) {
      for await (const rows of logRows(portLogFile(dir, head.pipeline, port))()) {
        const parent = rows.find((row) => deriveId(row.id, node.id, number) === id)
        if (parent) return { pipeline: head.pipeline, node: node.id, id: parent.id }
      }
    }
  }
  return undefined
}

/** Goes through the nodes of one run in the order of the flow. */
class RunReader {
  readonly #run: LoggedRun
  readonly #trail: Trail
  /** Id → where it was seen. */
  readonly #seen = new Map<string, Seen>()

  constructor(run: LoggedRun, trail: Trail) {
    this.#run = run
    this.#trail = trail
  }

  async read(ids: readonly string[]): Promise<void> {
    const followed = new Set(ids)
    for (const node of this.#run.head.nodes) {
      const made = this.#candidates(node, followed)
      const wanted = new Map([...followed, ...made.keys()].map((id) => [noted(id), id]))
      for (const port of portsOf(node, this.#run)) await this.#look(port, wanted)
      const ports = portsOf(node, this.#run)
      const found = [...made].filter(([id]) => ports.some((port) => this.#seen.get(id)?.has(port)))
      for (const [id, parent] of found) {
        followed.add(id)
        this.#trail.follow(id, { pipeline: this.#run.head.pipeline, node: node.id, id: parent })
      }
      for (const id of followed) await this.#step(node, id, ports, found)
    }
  }

  /** Ids of what `node` may have made of the events it read, each with what it was made from. */
  #candidates(node: LoggedNode, followed: ReadonlySet<string>): Map<string, string> {
    const made = new Map<string, string>()
    if (node.section !== 'operators') return made
    for (const id of followed) {
      if (!this.#wasRead(node, id)) continue
      for (let number = 0; number < MAX_MADE; number++) made.set(deriveId(id, node.id, number), id)
    }
    return made
  }

  #wasRead = (node: LoggedNode, id: string): boolean =>
    node.inputs.some((port) => this.#seen.get(id)?.has(port))

  async #look(port: string, wanted: ReadonlyMap<string, string>): Promise<void> {
    const { dir, head } = this.#run
    for await (const rows of logRows(portLogFile(dir, head.pipeline, port))()) {
      for (const row of rows) {
        const id = wanted.get(row.id)
        if (id === undefined) continue
        const seen: Seen = this.#seen.get(id) ?? new Map()
        this.#seen.set(id, seen.set(port, { time: row.time ?? 0, digest: row.digest }))
      }
    }
  }

  async #step(
    node: LoggedNode,
    id: string,
    ports: readonly string[],
    found: readonly (readonly [string, string])[],
  ): Promise<void> {
    const seen = this.#seen.get(id)
    const wasRead = this.#wasRead(node, id)
    const left = ports.filter((port) => seen?.has(port))
    if (!wasRead && (left.length === 0 || node.section !== 'sources')) return
    const failed = left.includes(`${node.id}.errors`)
    const made = found.filter(([, parent]) => parent === id).map(([one]) => one)
    const passed = left.filter((port) => port !== `${node.id}.errors`)
    const kind = kindOf(node, { failed, made: made.length, passed: passed.length })
    const before = await this.#eventAt(id, node.inputs)
    const handedOn: HandedOn[] = []
    for (const one of passed.length > 0 ? [id, ...made] : made) {
      const own = ports.filter((port) => this.#seen.get(one)?.has(port))
      for (const port of own) handedOn.push(await this.#handedOn(one, port, node, before))
    }
    const { pipeline } = this.#run.head
    const step: Step = {
      pipeline,
      node: node.id,
      type: node.type,
      event: id,
      kind,
      reasons: [],
      handedOn,
      timers: [],
      ...(failed && { failure: await this.#failure(node, id) }),
    }
    this.#trail.add(step)
  }

  async #handedOn(id: string, port: string, node: LoggedNode, before: Event | undefined) {
    const after = await this.#eventAt(id, [port])
    const time = this.#seen.get(id)?.get(port)?.time ?? 0
    const changes = before && after ? fieldChanges(body(before), body(after)) : []
    return { id, topic: after?.topic ?? '', time, port: port.slice(node.id.length + 1), changes }
  }

  async #failure(node: LoggedNode, id: string) {
    const error = await this.#eventAt(id, [`${node.id}.errors`])
    const read = this.#run.head.nodes.some(({ inputs }) => inputs.includes(`${node.id}.errors`))
    const { code = 'UNKNOWN', message = 'no sink has kept the error' } = error?.data ?? {}
    return { code: String(code), message: String(message), dead: !read }
  }

  async #eventAt(id: string, ports: readonly string[]): Promise<Event | undefined> {
    const port = ports.find((one) => this.#seen.get(id)?.has(one))
    const digest = port === undefined ? undefined : this.#seen.get(id)?.get(port)?.digest
    return digest === undefined ? undefined : findEvent(runFiles(this.#run), digest)
  }
}

const body = ({ topic, time, data }: Event) => ({ topic, time, data })

interface Outcome {
  readonly failed: boolean
  readonly made: number
  readonly passed: number
}

function kindOf({ section }: LoggedNode, { failed, made, passed }: Outcome): StepKind {
  if (failed) return 'failed'
  if (section === 'sources') return 'read'
  if (section === 'sinks') return 'written'
  if (made > 0) return 'made'
  return passed > 0 ? 'passed' : 'filtered'
}
