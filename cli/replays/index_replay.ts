/**
 * Makes a finished replay readable by time. A process of its own, started by the API:
 * `node index_replay.ts DIR` writes `index.db` and `findings.json` beside what the replay left.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { loggedRuns } from '../../engine/diff/edge_log_head.ts'
import { logRows, type Row, sinkRows } from '../../engine/diff/rows.ts'
import { deadLetterFile, sinkFile } from '../../engine/diff/run_files.ts'
import { portLogFile } from '../../engine/edge_log.ts'
import { openDatabase } from '../../store/database.ts'
import { findings } from '../../store/findings.ts'
import {
  type ReplayPlace,
  type ReplayTimeline,
  writeReplayIndex,
} from '../../store/replay_index.ts'
import { bucketOf, isOutside, type Span, SpanFinder } from './timeline_span.ts'

/** Events that can be listed, about 100 bytes each; all are counted. */
const MOST_EVENTS = 5_000_000
/** Topics told apart; pipelines name them, but parts of a name may come from outside. */
const MOST_TOPICS = 100
/** Entries of each list of findings. */
const TOP = 10

type Found = Pick<Row, 'id' | 'digest'> & { readonly time: number; readonly topic?: string }

interface Place extends Omit<ReplayPlace, 'count' | 'counts'> {
  /** below the folder; undefined: of this place there are no texts */
  readonly file: string | undefined
  found(): AsyncIterable<Found>
}

/** @param dir what `replay --sink` was given; a `rows.db` in it is what the sinks wrote */
async function indexReplay(dir: string): Promise<void> {
  const places = placesOf(dir)
  const finder = new SpanFinder()
  for (const place of places) for await (const { time } of place.found()) finder.add(time)
  const path = join(dir, 'index.db')
  rmSync(path, { force: true })
  const writer = writeReplayIndex(path)
  const counting = new Counting(places, finder.span())
  let seq = 0
  for (const [no, place] of places.entries()) {
    for await (const one of place.found()) {
      counting.add(no, one)
      if (seq < MOST_EVENTS) writer.event({ ...one, place: no }, seq)
      seq += 1
    }
  }
  const files = places
    .flatMap(({ file }) => file ?? [])
    .filter((file) => existsSync(join(dir, file)))
  for (const [file, name] of files.entries()) {
    for await (const rows of sinkRows(join(dir, name))()) {
      for (const row of rows) writer.text({ ...row, file })
    }
  }
  await keepTapped(dir, (text) => writer.text({ ...text, file: files.length }))
  const pipelines = loggedRuns(dir).map(({ head }) => ({ name: head.pipeline, nodes: head.nodes }))
  writer.finish({ ...counting.counted(), cut: seq > MOST_EVENTS, pipelines }, [...files, TEXTS])
  if (existsSync(join(dir, 'rows.db'))) await writeFindings(dir)
}

async function writeFindings(dir: string): Promise<void> {
  const database = await openDatabase(`sqlite:${join(dir, 'rows.db')}`)
  const found = await findings(database, TOP)
  await database.close()
  writeFileSync(join(dir, 'findings.json'), JSON.stringify(found))
}

/** In the order of the flow, pipeline after pipeline. */
function placesOf(dir: string): Place[] {
  return loggedRuns(dir).flatMap((run) => {
    const { pipeline, nodes, ports } = run.head
    const below = (file: string) => file.slice(dir.length + 1)
    const ofNodes = nodes.flatMap((node): Place[] => {
      const own = ports.filter(
        ({ port, count }) => (port === node.id || port.startsWith(`${node.id}.`)) && count > 0,
      )
      const shown = own.map(({ port }): Place => {
        const name = port.slice(node.id.length + 1)
        const file = portLogFile(dir, pipeline, port)
        const place = {
          pipeline,
          node: node.id,
          port: name,
          kind: 'port',
          file: undefined,
        } as const
        return { ...place, found: () => recorded(file) }
      })
      if (node.section !== 'sinks') return shown
      const file = sinkFile(run, node.id)
      const sink = { pipeline, node: node.id, port: '', kind: 'sink', file: below(file) } as const
      return [{ ...sink, found: () => written(file) }, ...shown]
    })
    const dead = deadLetterFile(run)
    if (!existsSync(dead)) return ofNodes
    const letters = { pipeline, node: '', port: '', kind: 'dead_letters' } as const
    return [...ofNodes, { ...letters, file: below(dead), found: () => written(dead) }]
  })
}

/** What was tapped and no sink was given. */
const TEXTS = 'texts.ndjson'

/** Most nodes hand on much of what they read as it is: each text is kept once, and the taps go. */
async function keepTapped(dir: string, isNew: (text: Row) => boolean): Promise<void> {
  const taps = join(dir, 'taps')
  const kept = openSync(join(dir, TEXTS), 'w')
  let end = 0
  for (const name of existsSync(taps) ? readdirSync(taps).sort() : []) {
    const tapped = openSync(join(taps, name), 'r')
    for await (const rows of sinkRows(join(taps, name))()) {
      for (const row of rows) {
        if (!isNew({ ...row, at: end })) continue
        const line = Buffer.allocUnsafe(row.length + 1)
        readSync(tapped, line, 0, line.length, row.at)
        writeSync(kept, line)
        end += line.length
      }
    }
    closeSync(tapped)
  }
  closeSync(kept)
  rmSync(taps, { recursive: true, force: true })
}

async function* recorded(file: string): AsyncGenerator<Found> {
  for await (const rows of logRows(file)()) {
    for (const { id, digest, time = 0 } of rows) yield { id, digest, time }
  }
}

async function* written(file: string): AsyncGenerator<Found> {
  if (!existsSync(file)) return
  const handle = openSync(file, 'r')
  try {
    for await (const rows of sinkRows(file)()) {
      for (const row of rows) {
        const { time, topic } = endOf(row, handle)
        yield { id: idDigits(row.id), digest: row.digest, time, topic }
      }
    }
  } finally {
    closeSync(handle)
  }
}

/** Ids of a source's own making need not be hex; what they are stands in the text. */
const idDigits = (id: string): string =>
  /^[0-9a-f]{32}$/.test(id) ? id : Buffer.from(id).subarray(0, 16).toString('hex')

/** Members are sorted, so that `time` and `topic` are the last of a line. */
const END = /,"time":([-+.\deE]{1,32}),"topic":("(?:[^"\\]|\\.){0,400}")\}$/
const END_BYTES = 512

function endOf({ at, length }: Row, handle: number): { time: number; topic: string } {
  const bytes = Buffer.alloc(Math.min(length, END_BYTES))
  readSync(handle, bytes, 0, bytes.length, at + length - bytes.length)
  const [, time, topic] = END.exec(bytes.toString('utf8')) ?? []
  return { time: Number(time ?? 0), topic: topic === undefined ? '' : String(JSON.parse(topic)) }
}

class Counting {
  readonly #places: readonly Place[]
  readonly #span: Span
  readonly #counts: number[][]
  readonly #topics = new Map<string, { place: number; topic: string; counts: number[] }>()
  #outside = 0

  constructor(places: readonly Place[], span: Span) {
    this.#places = places
    this.#span = span
    this.#counts = places.map(() => none(span))
  }

  add(place: number, { time, topic }: Found): void {
    const bucket = bucketOf(time, this.#span)
    const counts = this.#counts[place] as number[]
    counts[bucket] = (counts[bucket] as number) + 1
    if (isOutside(time, this.#span)) this.#outside += 1
    if (topic === undefined || this.#places[place]?.kind !== 'sink') return
    const key = `${place} ${topic}`
    let counted = this.#topics.get(key)
    if (!counted) {
      if (this.#topics.size === MOST_TOPICS) return
      counted = { place, topic, counts: none(this.#span) }
      this.#topics.set(key, counted)
    }
    counted.counts[bucket] = (counted.counts[bucket] as number) + 1
  }

  counted(): Omit<ReplayTimeline, 'cut' | 'pipelines'> {
    return {
      ...this.#span,
      outside: this.#outside,
      places: this.#places.map(({ pipeline, node, port, kind }, no) => {
        const counts = this.#counts[no] as number[]
        return { pipeline, node, port, kind, count: sum(counts), counts }
      }),
      topics: [...this.#topics.values()].map(({ place, topic, counts }) => {
        const { pipeline, node } = this.#places[place] as Place
        return { pipeline, node, topic, count: sum(counts), counts }
      }),
    }
  }
}

const none = ({ buckets }: Span): number[] => Array.from({ length: buckets }, () => 0)
const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)

const [, , dir] = process.argv
if (dir === undefined) throw new Error('index_replay.ts needs the folder of a replay')
await indexReplay(dir)
