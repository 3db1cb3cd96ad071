/** Reads finished runs by time: what was said, where, up to a moment. */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type EventWindow, type FoundEvent, ReplayIndex } from '../../../store/replay_index.ts'

/** Characters of an event that are shown: an attacker chooses how long it is. */
const MOST_TEXT = 4000
/** Bytes of an event that are read; what is longer is cut, and has no topic. */
const MOST_BYTES = 2 ** 20

/** Does `work` on the index of a run, which is closed whatever comes of it. */
export function withIndex<T>(dir: string, work: (index: ReplayIndex) => T): T {
  const index = new ReplayIndex(join(dir, 'index.db'))
  try {
    return work(index)
  } finally {
    index.close()
  }
}

/** @throws {NodeJS.ErrnoException} where the run is removed meanwhile */
export async function eventsOf(dir: string, window: EventWindow) {
  const { total, events } = withIndex(dir, (index) => index.events(window))
  const files = new Map<string, FileHandle>()
  try {
    const data: Awaited<ReturnType<typeof shownEvent>>[] = []
    for (const event of events) data.push(await shownEvent(dir, event, files))
    return { total, limit: window.limit, offset: window.offset, data }
  } finally {
    await Promise.all([...files.values()].map((file) => file.close()))
  }
}

async function shownEvent(dir: string, event: FoundEvent, files: Map<string, FileHandle>) {
  const { id, time, file: name } = event
  if (name === null) return { id, time, topic: null, data: null, cut: false }
  let file = files.get(name)
  if (!file) {
    file = await open(join(dir, name))
    files.set(name, file)
  }
  const bytes = Buffer.alloc(Math.min(event.length, MOST_BYTES))
  await file.read(bytes, 0, bytes.length, event.at)
  const line = bytes.toString('utf8')
  if (event.length > MOST_BYTES) {
    return { id, time, topic: null, data: line.slice(0, MOST_TEXT).toWellFormed(), cut: true }
  }
  const read = JSON.parse(line) as { id: string; topic: string; data?: unknown }
  const data = JSON.stringify(read.data ?? {})
  return {
    // One of a source's own making is noted as digits only.
    id: String(read.id).slice(0, 200),
    time,
    topic: String(read.topic).slice(0, 200),
    data: data.slice(0, MOST_TEXT).toWellFormed(),
    cut: data.length > MOST_TEXT,
  }
}
