/**
 * Five stages (parse, filter, rewrite, rate limit by key, credentials) over lines that are in memory:
 * the pipeline, checkpoint included, against a hand-written loop and against plain RxJS of one event
 * at a time. All three run the operators' own code (`each`, `keyed`), mint the same ids, and keep
 * an event that cannot be handled with its error while the others go on.
 * Goals: at most 1.5 times the loop's time; faster than RxJS.
 */
import { join } from 'node:path'
import { catchError, EMPTY, filter, from, groupBy, map, mergeMap, of, tap } from 'rxjs'
import { registry } from '../cli/registry.ts'
import { eventClock } from '../engine/clock.ts'
import { compilePipeline } from '../engine/compile.ts'
import type { Context, Keyed } from '../engine/define.ts'
import { deriveId } from '../engine/ids.ts'
import type { Draft, Event } from '../engine/index.ts'
import type { PlanOperator } from '../engine/plan.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { runPipeline } from './_pipeline.ts'
import { syslogLine } from './_syslog_lines.ts'

const ROUNDS = 5
const LINES = 100_000

const stages = `operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  wanted: { type: filter, inputs: [parsed], where: data.service != "ftp" }
  named: { type: map, inputs: [wanted], set: { target: data.decky + "/" + data.service } }
  limited: { type: dedup, inputs: [named], key: [data.attacker_ip, data.service], window: 10s }
  creds: { type: credential, inputs: [limited] }
sinks:
  out: { type: 'null', inputs: [creds] }
`
const yaml = `name: bench_five
description: Five stages
sources:
  lines: { type: memory }
${stages}`

const events: readonly Event[] = Array.from({ length: LINES }, (_, index) => ({
  id: index.toString(16).padStart(32, '0'),
  topic: 'line',
  time: 1_772_355_600_000 + index,
  data: { line: syslogLine(index) },
}))

interface Stages {
  readonly parse: (event: Event) => Event | undefined
  readonly wanted: (event: Event) => Event | undefined
  readonly named: (event: Event) => Event | undefined
  readonly limit: Keyed<{ until: number }>
  readonly creds: (event: Event) => Event | undefined
}

/** The operators' own code, without the engine around it. */
function bareStages(): Stages {
  const source = 'sources:\n  lines: { type: stdin }\n'
  const text = `name: bare\ndescription: The same\n${source}${stages}`
  const { plan } = compilePipeline(text, 'bare.yaml', { registry, env: {} })
  const context = { clock: eventClock(), count: () => undefined } as unknown as Context
  const node = (id: string) => plan?.nodes.find((one) => one.id === id) as PlanOperator
  const each = (id: string) => {
    const { component, config } = node(id)
    return component.each?.(config as never, context) as never
  }
  const { component, config } = node('limited')
  const limit = component.keyed?.(config as never, context) as unknown as Stages['limit']
  const [parse, wanted, named] = [each('parsed'), each('wanted'), each('named')]
  const credential = each('creds') as (event: Event) => Draft | undefined
  const creds = (event: Event): Event | undefined => {
    const made = credential(event)
    return made && { ...made, id: deriveId(event.id, 'creds', 0) }
  }
  return { parse, wanted, named, limit, creds }
}

// The limit asks for no timer; a component that did would have to be given one here.
const timers = {} as never

function loop(): number {
  const { parse, wanted, named, limit, creds } = bareStages()
  const started = performance.now()
  const states = new Map<string, { until: number }>()
  const failures: unknown[] = []
  let out = 0
  for (const event of events) {
    try {
      const parsed = parse(event)
      if (parsed === undefined || wanted(parsed) === undefined) continue
      const target = named(parsed) as Event
      const key = limit.key(target) ?? ''
      let state = states.get(key)
      if (!state) {
        state = limit.init(key)
        states.set(key, state)
      }
      if (limit.step(state, target, timers) === undefined) continue
      if (creds(target) !== undefined) out += 1
    } catch (error) {
      failures.push(error)
    }
  }
  check(out)
  return performance.now() - started
}

/** One stage of RxJS: an error would end the stream, so each event has a small one of its own. */
const guarded = (step: (event: Event) => Event | undefined, failures: unknown[]) =>
  mergeMap((event: Event) =>
    of(event).pipe(
      map(step),
      filter((made) => made !== undefined),
      catchError((error) => {
        failures.push(error)
        return EMPTY
      }),
    ),
  )

function rxjs(): number {
  const { parse, wanted, named, limit, creds } = bareStages()
  const started = performance.now()
  const failures: unknown[] = []
  let out = 0
  from(events)
    .pipe(
      guarded(parse, failures),
      guarded(wanted, failures),
      guarded(named, failures),
      groupBy((event) => limit.key(event) ?? ''),
      mergeMap((group) => {
        const state = limit.init(group.key)
        return group.pipe(
          guarded((event) => limit.step(state, event, timers) as Event | undefined, failures),
        )
      }),
      guarded(creds, failures),
      tap(() => {
        out += 1
      }),
    )
    .subscribe()
  check(out)
  return performance.now() - started
}

/** The same without a stream per event and per key: as little RxJS as does the work. */
function leanRxjs(): number {
  const { parse, wanted, named, limit, creds } = bareStages()
  const started = performance.now()
  const failures: unknown[] = []
  const states = new Map<string, { until: number }>()
  const stage = (step: (event: Event) => Event | undefined) => (source: typeof input) =>
    source.pipe(
      map((event) => {
        try {
          return step(event)
        } catch (error) {
          failures.push(error)
          return undefined
        }
      }),
      filter((made) => made !== undefined),
    )
  const limited = (event: Event) => {
    const key = limit.key(event) ?? ''
    const state = states.get(key) ?? limit.init(key)
    states.set(key, state)
    return limit.step(state, event, timers) as Event | undefined
  }
  const input = from(events)
  let out = 0
  input
    .pipe(stage(parse), stage(wanted), stage(named), stage(limited))
    .pipe(stage(creds))
    .subscribe(() => {
      out += 1
    })
  check(out)
  return performance.now() - started
}

let expected: number | undefined
/** They do the same work only if as much comes out. */
function check(out: number): void {
  expected ??= out
  if (out !== expected) throw new Error(`${out} events came out, not ${expected}`)
}

await inScratch(async (folder) => {
  let round = 0
  async function pipeline(): Promise<number> {
    const stateDir = join(folder, `${round++}`)
    const { elapsed, nodes } = await runPipeline({ yaml, stateDir, events })
    check(nodes.out?.in ?? 0)
    return elapsed
  }
  const contenders = {
    'hand-written loop': loop,
    decnet: pipeline,
    'RxJS, one event at a time': rxjs,
    'RxJS, one Map, try in each stage': leanRxjs,
  }
  const times = await rounds(contenders, { count: ROUNDS, warmUp: 1 })
  timesTable(times, LINES)
  const of = (name: keyof typeof contenders) => times.get(name) ?? []
  const ours = of('decnet')
  goal('time of decnet / time of the loop', pairedRatio(ours, of('hand-written loop')), {
    most: 1.5,
  })
  const plain = of('RxJS, one event at a time')
  goal('time of decnet / time of RxJS', pairedRatio(ours, plain), { most: 1 })
  const lean = pairedRatio(ours, of('RxJS, one Map, try in each stage'))
  process.stdout.write(`  time of decnet / time of the leanest RxJS: ${lean.toFixed(2)}\n`)
})
