import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../engine/context.ts'
import { readEntries, type StoredEntry } from '../../../engine/journal/reader.ts'
import { journalFiles } from '../../../engine/journal/segments.ts'
import { JournalWriter } from '../../../engine/journal/writer.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-journal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

let now = 1000
const clock = { live: true, now: () => now }
interface Bound {
  maxSize: number
  maxAge: number | undefined
}
const open = (
  bound?: Bound,
  kind: 'directory' | 'file' = 'directory',
  pipeline = 'test',
  giveUp = new AbortController().signal,
) =>
  JournalWriter.open({
    path: join(dir, 'j'),
    kind,
    pipeline,
    bound,
    clock,
    log: silentLog,
    giveUp,
  })

const entry = (source: string, first: number, texts: readonly string[]) => ({
  source,
  stream: 'a'.repeat(16),
  first,
  position: { at: first + texts.length },
  events: texts.map((line) => ({ topic: 'line', time: 1.5, data: { line } })),
})

async function stored(from = 0): Promise<StoredEntry[]> {
  const all: StoredEntry[] = []
  for await (const one of readEntries(await journalFiles(join(dir, 'j')), from)) all.push(one)
  return all
}
const lines = (entries: readonly StoredEntry[]) =>
  entries.flatMap(({ events }) =>
    events.map((event) => ('failure' in event ? event.draft : event).data.line),
  )
const files = () => readdirSync(join(dir, 'j')).sort()
/** Text that does not compress: each entry takes the room it seems to take. */
const noise = (seed: number, length: number) => {
  let state = seed + 1
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return String.fromCharCode(33 + (state % 90))
  }).join('')
}

describe('a journal', () => {
  it('gives back what was written, in order, over restarts', async () => {
    const first = await open()
    const all = ['a', 'b'].map((source, index) => first.append(entry(source, index, ['1', '2'])))
    expect(await Promise.all(all.map(({ safe }) => safe))).toMatchObject([
      { sequence: 0 },
      { sequence: 2 },
    ])
    await first.close()
    const second = await open()
    expect(second.sequence).toBe(4)
    expect((await second.append(entry('a', 2, ['3'])).safe).sequence).toBe(4)
    await second.close()
    const back = await stored()
    expect(back.map(({ source, sequence, position }) => ({ source, sequence, position }))).toEqual([
      { source: 'a', sequence: 0, position: { at: 2 } },
      { source: 'b', sequence: 2, position: { at: 3 } },
      { source: 'a', sequence: 4, position: { at: 3 } },
    ])
    expect(back[2]?.events).toEqual([
      { id: `${'a'.repeat(16)}0000000000000002`, topic: 'line', time: 1.5, data: { line: '3' } },
    ])
    expect(lines(await stored(2))).toEqual(['1', '2', '3'])
  })

  it('keeps ids, refusals and text of every kind', async () => {
    const odd = '\0 \u2028 \ud800 \u{1f41d} "\\'
    const draft = { id: 'f'.repeat(32), topic: 'line', time: 0, data: { line: odd, n: 1e21 } }
    const failure = { code: 'BAD_LINE', message: odd }
    const writer = await open()
    const { safe } = writer.append({
      ...entry('a', 0, []),
      events: [draft, { failure, draft }, { failure, draft: { topic: 't', time: 1, data: {} } }],
    })
    await safe
    await writer.append(entry('a', 3, [])).safe
    await writer.append(entry('a', 3, ['after'])).safe
    await writer.close()
    const back = await stored()
    const minted = { id: `${'a'.repeat(16)}0000000000000002`, topic: 't', time: 1, data: {} }
    expect(back[0]?.events).toEqual([draft, { failure, draft }, { failure, draft: minted }])
    expect(lines(back.slice(1))).toEqual(['after'])
  })

  it('loses nothing but a torn end, at whatever byte a crash has cut it', async () => {
    const writer = await open()
    for (const text of ['one', 'two']) await writer.append(entry('a', 0, [text])).safe
    const before = writer.bytes
    await writer.append(entry('a', 0, ['three'])).safe
    await writer.close()
    const file = join(dir, 'j', files()[0] as string)
    const whole = readFileSync(file)
    for (let end = 0; end < whole.length; end += end < before ? 29 : 1) {
      writeFileSync(file, whole.subarray(0, end))
      const again = await open()
      const expected = end >= before ? ['one', 'two'] : undefined
      if (expected) expect(again.sequence).toBe(2)
      const { sequence } = await again.append(entry('a', 0, ['next'])).safe
      await again.close()
      const back = lines(await stored())
      expect(back).toEqual([...['one', 'two', 'three'].slice(0, sequence), 'next'])
      if (expected) expect(back).toEqual([...expected, 'next'])
    }
  })

  it('goes on after noise at its end', async () => {
    const writer = await open()
    await writer.append(entry('a', 0, ['one'])).safe
    await writer.close()
    appendFileSync(join(dir, 'j', files()[0] as string), noise(1, 5000))
    const again = await open()
    await again.append(entry('a', 1, ['two'])).safe
    await again.close()
    expect(lines(await stored())).toEqual(['one', 'two'])
  })

  it('refuses a damaged middle instead of cutting off what follows', async () => {
    const writer = await open()
    for (const text of ['one', 'two', 'three']) await writer.append(entry('a', 0, [text])).safe
    await writer.close()
    const file = join(dir, 'j', files()[0] as string)
    const bytes = readFileSync(file)
    bytes[120] = (bytes[120] as number) ^ 1
    writeFileSync(file, bytes)
    await expect(open()).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' })
    await expect(stored()).rejects.toThrow(file)
    expect(readFileSync(file)).toEqual(bytes)
  })

  it('holds writers back while it cannot be written, and goes on when it can', async () => {
    const writer = await open()
    rmSync(join(dir, 'j'), { recursive: true })
    let written = false
    const { safe } = writer.append(entry('a', 0, ['one']))
    const done = safe.then(() => {
      written = true
    })
    await expect(journalFiles(join(dir, 'j'))).resolves.toEqual([])
    expect(written).toBe(false)
    mkdirSync(join(dir, 'j'))
    await done
    await writer.close()
    expect(lines(await stored())).toEqual(['one'])
  })

  it('fails for good when it cannot be written and has to stop', async () => {
    const stop = new AbortController()
    const writer = await open(undefined, 'directory', 'test', stop.signal)
    rmSync(join(dir, 'j'), { recursive: true })
    const { safe } = writer.append(entry('a', 0, ['one']))
    stop.abort()
    await expect(safe).rejects.toMatchObject({ code: 'JOURNAL' })
    mkdirSync(join(dir, 'j'))
    await expect(writer.append(entry('a', 1, ['two'])).safe).rejects.toMatchObject({
      code: 'JOURNAL',
    })
    await writer.close()
  })

  it('is refused to another pipeline', async () => {
    const writer = await open()
    await writer.append(entry('a', 0, ['one'])).safe
    await writer.close()
    await expect(open(undefined, 'directory', 'other')).rejects.toMatchObject({
      code: 'JOURNAL_PIPELINE',
    })
  })
})

describe('the bound of a journal', () => {
  const bound = { maxSize: 1024 * 1024, maxAge: undefined }

  /** @returns the writer, past its bound by about half */
  async function overfull() {
    const writer = await open(bound)
    for (let n = 0; n < 24; n++) await writer.append(entry('a', n, [noise(n, 80_000)])).safe
    return writer
  }

  it('starts a new segment when one is full, and reads over the seam', async () => {
    const writer = await overfull()
    await writer.close()
    expect(files().length).toBeGreaterThan(10)
    expect((await stored()).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 24 }, (_, n) => n),
    )
    expect(await stored(20)).toHaveLength(4)
  })

  it('removes nothing that no checkpoint has taken in', async () => {
    const writer = await overfull()
    await writer.retention.trim(0)
    expect(writer.bytes).toBeGreaterThan(bound.maxSize)
    expect(writer.retention.removedItems).toBe(0)
    await writer.retention.trim(3)
    expect(writer.retention.removedItems).toBeLessThanOrEqual(3)
    await writer.close()
    expect((await stored()).at(-1)?.sequence).toBe(23)
    expect((await stored())[0]?.sequence).toBe(writer.retention.removedItems)
  })

  it('removes the oldest until it is kept, and counts them', async () => {
    const writer = await overfull()
    await writer.retention.trim(writer.sequence)
    const { removedItems } = writer.retention
    expect(writer.bytes).toBeLessThanOrEqual(bound.maxSize)
    expect(removedItems).toBeGreaterThan(5)
    await writer.close()
    expect((await stored()).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 24 - removedItems }, (_, n) => n + removedItems),
    )
  })

  it('removes what is too old, but never the segment being written', async () => {
    now = 1000
    const writer = await open({ maxSize: 2 ** 30, maxAge: 60_000 })
    await writer.close()
    const small = await open({ maxSize: 1024 * 1024, maxAge: 60_000 })
    for (let n = 0; n < 3; n++) await small.append(entry('a', n, [noise(n, 80_000)])).safe
    await small.retention.trim(small.sequence)
    expect(small.retention.removedItems).toBe(0)
    now = 62_000
    await small.retention.trim(small.sequence)
    expect(small.retention.removedItems).toBe(2)
    expect(small.retention.segments).toBe(1)
    await small.close()
  })
})
