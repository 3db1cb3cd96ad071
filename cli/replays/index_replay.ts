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
import { type Row, sinkRows } from '../../engine/diff/rows.ts'
import { openDatabase } from '../../store/database.ts'
import { findings } from '../../store/findings.ts'
import { writeReplayIndex } from '../../store/replay_index.ts'
import { Counting } from './counting.ts'
import { placesOf } from './replay_places.ts'
import { SpanFinder } from './timeline_span.ts'

/** Events that can be listed, about 100 bytes each; all are counted. */
const MOST_EVENTS = 5_000_000
/** Entries of each list of findings. */
const TOP = 10

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

const [, , dir] = process.argv
if (dir === undefined) throw new Error('index_replay.ts needs the folder of a replay')
await indexReplay(dir)
