import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Draft } from '../../engine/index.ts'
import { fileFingerprint, lineId } from '../../protocols/line_identity.ts'
import { tail } from '../../sources/lines/file_tail.ts'
import { syslogFile } from '../../sources/syslog_file.ts'
import { NOW, sourceContext, startSource, until } from './source_run.ts'

let folder = ''
let path = ''
const config = { start: 'beginning', poll: 10, max_line: 1000, follow: true }
const started: ReturnType<typeof startSource>[] = []

/** Reads in the background until the test ends. */
function follow(more: object = {}, position?: unknown) {
  const run = startSource(syslogFile, { ...config, path, ...more }, position).flow()
  started.push(run)
  return run
}

const isReading = (run: ReturnType<typeof startSource>) =>
  until(() => run.logs.some(({ message }) => message === 'reading a file'))

/** Waits for exactly these lines, then stops. */
async function reads(run: ReturnType<typeof startSource>, lines: string[]) {
  await until(() => run.events.length >= lines.length)
  await run.stop()
  expect(run.lines()).toEqual(lines)
}

/** Reads what is there now and stops. */
async function readOnce(position?: unknown, more: object = {}) {
  const run = startSource(syslogFile, { ...config, path, follow: false, ...more }, position).flow()
  await run.done
  return run
}

const ids = (run: ReturnType<typeof startSource>) => run.events.map((event) => (event as Draft).id)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decnet-tail-'))
  path = join(folder, 'decnet.log')
})
afterEach(async () => {
  for (const run of started.splice(0)) await run.stop()
  rmSync(folder, { recursive: true })
})

describe('syslog_file, reading a file', () => {
  it('gives each line its text, its own time and an id made of its place', async () => {
    const line = '<134>1 2026-03-01T09:00:01.123456+00:00 web-01 ssh - connect - x'
    writeFileSync(path, `${line}\r\nno time\n`)
    const run = await readOnce()
    const fingerprint = fileFingerprint('lines', 0, line)
    expect(run.events).toEqual([
      {
        id: lineId(fingerprint, 0),
        topic: 'line',
        time: Date.UTC(2026, 2, 1, 9, 0, 1) + 123.456,
        data: { line },
      },
      {
        id: lineId(fingerprint, line.length + 2),
        topic: 'line',
        time: NOW,
        data: { line: 'no time' },
      },
    ])
  })

  it('makes the same of a captured line', () => {
    const captured = (line: string) => syslogFile.fromLine(line, 5, { ...config, path })
    expect(captured('no time')).toEqual({ topic: 'line', time: 5, data: { line: 'no time' } })
    const cut = { line: 'x'.repeat(1000), truncated: true }
    expect(captured('x'.repeat(1001))).toEqual({ topic: 'line', time: 5, data: cut })
  })

  it('delivers a last line without a line end where it does not follow', async () => {
    writeFileSync(path, 'one\ntwo')
    const run = await readOnce()
    expect(run.lines()).toEqual(['one', 'two'])
    expect(run.position).toMatchObject({ offset: 7, generation: 0 })
  })

  it('turns invalid UTF-8 into U+FFFD, and no character at the edge of a read', async () => {
    writeFileSync(path, Buffer.concat([Buffer.from('é€😀\n'), Buffer.from([0x61, 0xff, 0x0a])]))
    for (let readBytes = 1; readBytes <= 12; readBytes++) {
      const lines: string[] = []
      const options = { ...config, path, start: 'beginning', follow: false, readBytes } as const
      for await (const chunk of tail(options, undefined, sourceContext().context)) {
        lines.push(...chunk.lines.map(({ text }) => text))
      }
      expect(lines).toEqual(['é€😀', 'a�'])
    }
  })

  it('cuts a line of 10 MB to its head and goes on with the next', async () => {
    writeFileSync(
      path,
      `${'x'.repeat(1001)}\n${'y'.repeat(1000)}\n${'z'.repeat(10_000_000)}\nend\n`,
    )
    const run = await readOnce()
    expect(run.events).toMatchObject([
      { data: { line: 'x'.repeat(1000), truncated: true } },
      { data: { line: 'y'.repeat(1000) } },
      { data: { line: 'z'.repeat(1000), truncated: true } },
      { data: { line: 'end' } },
    ])
    expect(run.events[1]).not.toHaveProperty('data.truncated')
    expect(run.counts).toEqual({ line_truncated: 2 })
  })

  it('hands out a file of short lines in pulls of a bounded size', async () => {
    writeFileSync(path, '\n'.repeat(5000))
    const run = startSource(syslogFile, { ...config, path, follow: false })
    await run.pull()
    expect(run.events.length).toBe(1024)
    await run.flow().done
    expect(run.events.length).toBe(5000)
    expect(new Set(ids(run)).size).toBe(5000)
  })

  it('says which file is missing where it is not to wait', async () => {
    await expect(readOnce()).rejects.toMatchObject({ code: 'FILE_ABSENT' })
  })

  it('refuses what is no regular file', async () => {
    mkdirSync(path)
    await expect(readOnce()).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  })
})

describe('syslog_file, following a file', () => {
  it('waits for a file that is absent at start', async () => {
    const run = follow()
    await until(() => run.logs.some(({ message }) => message.includes('waiting')))
    writeFileSync(path, 'one\n')
    await reads(run, ['one'])
  })

  it('leaves a partial last line until its line end comes', async () => {
    writeFileSync(path, 'one\ntw')
    const run = follow()
    await until(() => run.events.length === 1)
    appendFileSync(path, 'o')
    appendFileSync(path, ' and more\nthree\n')
    await reads(run, ['one', 'two and more', 'three'])
  })

  it('reads a partial line once, whole, when it is stopped before its end', async () => {
    writeFileSync(path, 'one\ntw')
    const run = follow()
    await reads(run, ['one'])
    appendFileSync(path, 'o\n')
    expect((await readOnce(run.position)).lines()).toEqual(['two'])
  })

  it.each([
    ['a file with lines', 'old\n'],
    ['an empty file', ''],
    ['the first half of a line', 'o'],
    ['no file', undefined],
  ])('begun at the end of %s, reads at the next start what came meanwhile', async (_, text) => {
    if (text !== undefined) writeFileSync(path, text)
    const first = follow({ start: 'end' })
    await until(() => first.position !== undefined)
    await first.stop()
    appendFileSync(path, 'between\n')
    const second = follow({ start: 'end' }, first.position)
    await until(() => second.events.length > 0)
    appendFileSync(path, 'after\n')
    await reads(second, [text === 'o' ? 'obetween' : 'between', 'after'])
    const again = follow({ start: 'end' }, first.position)
    await until(() => again.events.length > 1)
    expect(ids(again)).toEqual(ids(second))
  })

  it('starts at the end where it is told to, with a line that is being written', async () => {
    writeFileSync(path, 'old\npart')
    const run = follow({ start: 'end' })
    await isReading(run)
    appendFileSync(path, 'ial\nnew\n')
    await reads(run, ['partial', 'new'])
  })

  it('finishes a renamed file, partial line included, before it begins the new one', async () => {
    writeFileSync(path, 'one\n')
    const run = follow()
    await until(() => run.events.length === 1)
    renameSync(path, `${path}.1`)
    appendFileSync(`${path}.1`, 'two\nthr')
    writeFileSync(path, 'four\n')
    appendFileSync(`${path}.1`, 'ee')
    await reads(run, ['one', 'two', 'three', 'four'])
    expect(run.position).toMatchObject({ generation: 1, offset: 5 })
    expect(new Set(ids(run)).size).toBe(4)
  })

  it('takes what a writer still puts into the old file when the new one has begun', async () => {
    writeFileSync(path, 'one\n')
    const run = follow({ poll: 100 })
    await until(() => run.events.length === 1)
    renameSync(path, `${path}.1`)
    writeFileSync(path, 'three\n')
    await until(() => run.logs.some(({ message }) => message === 'the file was rotated'))
    appendFileSync(`${path}.1`, 'two\n')
    await reads(run, ['one', 'two', 'three'])
  })

  it('stays with a renamed file as long as the new one is empty', async () => {
    writeFileSync(path, 'one\n')
    const run = follow()
    await until(() => run.events.length === 1)
    renameSync(path, `${path}.1`)
    writeFileSync(path, '')
    appendFileSync(`${path}.1`, 'two\n')
    await until(() => run.events.length === 2)
    appendFileSync(`${path}.1`, 'three\n')
    await until(() => run.events.length === 3)
    appendFileSync(path, 'four\n')
    await reads(run, ['one', 'two', 'three', 'four'])
  })

  it('reads on after the file was copied and emptied, and takes the rest from the copy', async () => {
    writeFileSync(path, 'one\n')
    const run = follow({ poll: 50 })
    await until(() => run.events.length === 1)
    appendFileSync(path, 'two\n')
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    appendFileSync(path, 'three\n')
    await reads(run, ['one', 'two', 'three'])
    expect(run.position).toMatchObject({ generation: 1, offset: 6 })
  })

  it('notices an emptied file that has outgrown its old size', async () => {
    writeFileSync(path, 'one\n')
    const run = follow()
    await until(() => run.events.length === 1)
    truncateSync(path)
    appendFileSync(path, 'a longer line\nand more\n')
    await reads(run, ['one', 'a longer line', 'and more'])
    expect(run.counts.file_emptied).toBe(1)
  })

  it('reads a file that was deleted to its end, and the one made anew', async () => {
    writeFileSync(path, 'one\n')
    const run = follow()
    await until(() => run.events.length === 1)
    unlinkSync(path)
    writeFileSync(path, 'two\n')
    await reads(run, ['one', 'two'])
  })

  it('follows many rotations of both kinds under a steady writer', async () => {
    writeFileSync(path, '')
    const run = follow()
    await isReading(run)
    const written: string[] = []
    for (let round = 0; round < 12; round++) {
      for (let line = 0; line < 50; line++) {
        written.push(`round ${round} line ${line}`)
        appendFileSync(path, `${written.at(-1)}\n`)
      }
      // Three rotations between two looks are more than any real log has.
      if (round % 3 === 2) await until(() => run.events.length === written.length)
      if (round % 2 === 0) renameSync(path, `${path}.${round + 1}`)
      else {
        copyFileSync(path, `${path}.${round + 1}`)
        truncateSync(path)
      }
      // Unlike these rounds, real rotations are further apart than a tick of the kernel's clock.
      utimesSync(`${path}.${round + 1}`, 1_000_000 + round, 1_000_000 + round)
    }
    writeFileSync(path, 'end\n')
    await reads(run, [...written, 'end'])
    expect(new Set(ids(run)).size).toBe(written.length + 1)
  })
})

describe('syslog_file, after a restart', () => {
  /** Reads `one` and `two` of a file that holds four lines, as a process that was killed. */
  async function readHalf() {
    writeFileSync(path, 'one\ntwo\n')
    const { position } = await readOnce()
    appendFileSync(path, 'three\nfour\n')
    return position
  }

  it('goes on at every line with the ids of an uninterrupted run', async () => {
    writeFileSync(path, 'one\ntwo é\r\n\nfour\n')
    const whole = await readOnce()
    const places = ids(whole).map((id) => Number.parseInt(String(id).slice(16), 16))
    expect(places).toEqual([0, 4, 12, 13])
    for (const [index, offset] of places.entries()) {
      const rest = await readOnce({ ...(whole.position as object), offset })
      expect(rest.events).toEqual(whole.events.slice(index))
    }
  })

  it('finishes a file that was renamed while it was down, then reads the new one', async () => {
    const position = await readHalf()
    renameSync(path, join(folder, 'archived'))
    writeFileSync(path, 'five\n')
    expect((await readOnce(position)).lines()).toEqual(['three', 'four', 'five'])
  })

  it('finishes a file that was copied and emptied while it was down', async () => {
    const position = await readHalf()
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    appendFileSync(path, 'five is longer than all that was there before\n')
    const run = await readOnce(position)
    expect(run.lines()).toEqual(['three', 'four', 'five is longer than all that was there before'])
    expect(run.counts.rotated_away).toBeUndefined()
  })

  it('reads the files between, too, when there were several rotations', async () => {
    const position = await readHalf()
    renameSync(path, `${path}.2`)
    writeFileSync(`${path}.1`, 'five\n')
    writeFileSync(`${path}.bak`, 'not of the log\n')
    writeFileSync(`${path}.2.gz`, 'packed\n')
    writeFileSync(path, 'six\n')
    expect((await readOnce(position)).lines()).toEqual(['three', 'four', 'five', 'six'])
  })

  it('reads no older file between', async () => {
    writeFileSync(join(folder, 'decnet-20260301.log'), 'very old\n')
    const position = await readHalf()
    renameSync(path, join(folder, 'decnet-20260302.log'))
    writeFileSync(path, 'five\n')
    expect((await readOnce(position)).lines()).toEqual(['three', 'four', 'five'])
  })

  it('gives every line the same id, rotated or not', async () => {
    const position = await readHalf()
    const stayed = ids(await readOnce(position))
    renameSync(path, `${path}.1`)
    writeFileSync(path, 'five\n')
    expect(ids(await readOnce(position)).slice(0, 2)).toEqual(stayed)
  })

  it('says so when the rest of a file is gone, and begins with the new one', async () => {
    const position = await readHalf()
    unlinkSync(path)
    writeFileSync(path, 'five\n')
    const run = await readOnce(position)
    expect(run.lines()).toEqual(['five'])
    expect(run.counts).toEqual({ rotated_away: 1 })
    expect(run.logs[0]).toMatchObject({ message: expect.stringContaining('gone') })
    expect(run.position).toMatchObject({ generation: 1 })
  })

  it('is not misled by a new file with the inode of the old one', async () => {
    const position = await readHalf()
    writeFileSync(path, 'another first line\nand more than was there before\n')
    const run = await readOnce(position)
    expect(run.lines()).toEqual(['another first line', 'and more than was there before'])
    expect(run.counts.rotated_away).toBe(1)
  })

  it('knows its file again on another disk', async () => {
    const position = await readHalf()
    copyFileSync(path, `${path}.new`)
    unlinkSync(path)
    renameSync(`${path}.new`, path)
    const run = await readOnce({ ...(position as object), dev: '1', inode: '1' })
    expect(run.lines()).toEqual(['three', 'four'])
  })

  it('waits for the new file when the old one was read to its end and is gone', async () => {
    const position = await readHalf()
    unlinkSync(path)
    const run = follow({}, position)
    await until(() => run.logs.some(({ message }) => message.includes('waiting')))
    writeFileSync(path, 'five\n')
    await reads(run, ['five'])
  })

  it('loses and repeats nothing when it is stopped after any pull, over rotations', async () => {
    const written: string[] = []
    const seen: unknown[] = []
    let position: unknown
    for (let round = 0; round < 30; round++) {
      const lines = Array.from({ length: 1 + (round % 4) }, (_, index) => `${round}-${index}`)
      written.push(...lines)
      appendFileSync(path, `${lines.join('\n')}\n`)
      if (round % 5 === 4) {
        renameSync(path, `${path}.${round}`)
        writeFileSync(path, '')
      }
      const run = startSource(syslogFile, { ...config, path, follow: false }, position)
      if (await run.pull()) position = run.position
      seen.push(...run.lines())
      await run.stop()
    }
    expect(existsSync(`${path}.29`)).toBe(true)
    seen.push(...(await readOnce(position)).lines())
    expect(seen).toEqual(written)
  })
})
