/** The difference of two runs as the API gives it, made of what `pipeline diff -o json` says. */
import { ApiError, notFound } from '../api_error.ts'

/** Kinds of differences of a sink. */
export const CHANGE_KINDS = ['added', 'removed', 'changed'] as const
type ChangeKind = (typeof CHANGE_KINDS)[number]

interface FieldChange {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}
interface NamedEvent {
  readonly id: string
  readonly topic: string
  readonly time: number
  readonly fields?: readonly FieldChange[]
}
interface ComparedNode {
  readonly node: { readonly id: string; readonly section: string; readonly type: string }
  readonly typeB?: string
  readonly verdict: string
  readonly ports: readonly {
    readonly port: string
    readonly a?: { readonly count: number }
    readonly b?: { readonly count: number }
  }[]
}
interface PartedEvent extends Omit<NamedEvent, 'topic'> {
  readonly node: string
  readonly wasRead: boolean
  readonly a: readonly { readonly port: string }[]
  readonly b: readonly { readonly port: string }[]
  readonly errorA?: string
  readonly errorB?: string
}
type Listed = Readonly<Record<ChangeKind, readonly NamedEvent[]>>

/** What the CLI says. */
export interface RunDiff {
  readonly different: boolean
  readonly onlyA: readonly string[]
  readonly onlyB: readonly string[]
  readonly pipelines: readonly {
    readonly pipeline: string
    readonly pipelineB?: string
    readonly different: boolean
    readonly parting?: ComparedNode & { readonly event?: PartedEvent }
    readonly nodes: readonly ComparedNode[]
    readonly sinks: readonly (Readonly<Record<ChangeKind, number>> & {
      readonly sink: string
      readonly fields: Readonly<Record<string, number>>
      readonly events: Listed
      readonly reordered: boolean
    })[]
  }[]
}

/** Characters of a value, of a path and of a message; attackers write all of them. */
const MOST_VALUE = 500
const MOST_PATH = 200
/** Fields of one event, and paths of one sink. */
const MOST_FIELDS = 20

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text

const shownValue = (value: unknown): string | null =>
  value === undefined ? null : cut(JSON.stringify(value), MOST_VALUE)

const shownFields = (fields: readonly FieldChange[]) =>
  fields.slice(0, MOST_FIELDS).map(({ path, before, after }) => ({
    path: cut(path, MOST_PATH),
    before: shownValue(before),
    after: shownValue(after),
  }))

const shownNode = ({ node, typeB, verdict, ports }: ComparedNode) => ({
  id: node.id,
  section: node.section,
  type: node.type,
  type_b: typeB ?? null,
  verdict,
  ports: ports.map(({ port, a, b }) => ({ port, a: a?.count ?? 0, b: b?.count ?? 0 })),
})

const shownParted = (event: PartedEvent) => ({
  id: event.id,
  time: event.time,
  node: event.node,
  was_read: event.wasRead,
  ports_a: event.a.map(({ port }) => port),
  ports_b: event.b.map(({ port }) => port),
  error_a: event.errorA === undefined ? null : cut(event.errorA, MOST_VALUE),
  error_b: event.errorB === undefined ? null : cut(event.errorB, MOST_VALUE),
  field_count: event.fields?.length ?? 0,
  fields: shownFields(event.fields ?? []),
})

/** All but the lists of events, which come page by page. */
export const shownDiff = ({ different, onlyA, onlyB, pipelines }: RunDiff) => ({
  different,
  only_a: onlyA,
  only_b: onlyB,
  pipelines: pipelines.map(({ pipeline, pipelineB, parting, nodes, sinks, ...rest }) => ({
    pipeline,
    pipeline_b: pipelineB ?? null,
    different: rest.different,
    parting: parting
      ? { ...shownNode(parting), event: parting.event ? shownParted(parting.event) : null }
      : null,
    nodes: nodes.map(shownNode),
    sinks: sinks.map(({ sink, added, removed, changed, reordered, fields }) => ({
      ...{ sink, added, removed, changed, reordered },
      fields: Object.entries(fields)
        .slice(0, MOST_FIELDS)
        .map(([path, count]) => ({ path: cut(path, MOST_PATH), count })),
    })),
  })),
})

export interface ChangesAsked {
  readonly pipeline: string
  readonly sink: string
  readonly kind: ChangeKind
  readonly limit: number
  readonly offset: number
}

/** @throws {ApiError} 404 where the two runs do not differ in such a sink */
export function changesOf(diff: RunDiff, { pipeline, sink, kind, limit, offset }: ChangesAsked) {
  const changes = diff.pipelines
    .find((one) => one.pipeline === pipeline)
    ?.sinks.find((one) => one.sink === sink)
  if (!changes) throw notFound('Difference')
  const listed = changes.events[kind]
  return {
    // All are counted, and the first of them can be shown.
    counted: changes[kind],
    total: listed.length,
    limit,
    offset,
    data: listed.slice(offset, offset + limit).map(({ id, topic, time, fields = [] }) => ({
      ...{ id, topic: cut(topic, MOST_PATH), time, field_count: fields.length },
      fields: shownFields(fields),
    })),
  }
}

interface Step {
  readonly pipeline: string
  readonly node: string
  readonly type: string
  readonly event: string
  readonly kind: string
  readonly handedOn: readonly (NamedEvent & {
    readonly port: string
    readonly changes: readonly FieldChange[]
  })[]
  readonly failure?: { readonly code: string; readonly message: string; readonly dead: boolean }
}

/** What `pipeline explain-event --run -o json` says. */
export interface Explained {
  readonly found: boolean
  readonly steps: readonly Step[]
  readonly cut: boolean
}

/** Steps of one event, and events that one step hands on. */
const MOST_STEPS = 200
const MOST_HANDED_ON = 20

/** @throws {ApiError} 404 on an event that the run does not have */
export function shownWay({ found, steps, cut: isCut }: Explained) {
  if (!found) throw new ApiError(404, 'Event not found')
  return {
    total: steps.length,
    cut: isCut,
    steps: steps.slice(0, MOST_STEPS).map(({ handedOn, failure, ...step }) => ({
      ...{ pipeline: step.pipeline, node: step.node, type: step.type },
      ...{ event: step.event, kind: step.kind },
      handed_on: handedOn.slice(0, MOST_HANDED_ON).map(({ id, port, topic, changes }) => ({
        ...{ id, port, topic: cut(topic, MOST_PATH), field_count: changes.length },
        fields: shownFields(changes),
      })),
      failure: failure ? `${failure.code}: ${cut(failure.message, MOST_VALUE)}` : null,
    })),
  }
}
