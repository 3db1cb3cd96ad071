import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import type { Context, Event, Writer } from '../../engine/index.ts'
import { ndjsonFile } from '../../sinks/ndjson_file.ts'

let folder: string
let path: string
let counted: string[]
let writer: Writer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ndjson-'))
  path = join(folder, 'deep', 'er', 'events.ndjson')
  counted = []
  writer = await open(path)
})
afterEach(async () => {
  await writer.close?.()
  rmSync(folder, { recursive: true })
})

async function open(file: string, fsync = true, saved?: unknown): Promise<Writer> {
  const count = (reason: string) => counted.push(reason)
  const context = { count, log: silentLog } as unknown as Context
  return ndjsonFile.open({ path: file, fsync }, context, saved)
}
const event = (n: number, data: Record<string, unknown> = { n }): Event => ({
  id: n.toString(16).padStart(32, '0'),
  topic: 'a.b',
  time: n + 0.25,
  data,
})
const line = (n: number) =>
  `{"data":{"n":${n}},"id":"${n.toString(16).padStart(32, '0')}","time":${n}.25,"topic":"a.b"}\n`
const content = () => readFileSync(path, 'utf8')

describe('the ndjson_file sink', () => {
  it('makes the file and its folders and appends canonical lines', async () => {
    await writer.write([event(1), event(2)])
    await writer.write([event(3)])
    expect(content()).toBe(line(1) + line(2) + line(3))
  })

  it('goes on at the end of a file it wrote before', async () => {
    await writer.write([event(1)])
    await writer.close?.()
    writer = await open(path, false)
    await writer.write([event(2)])
    expect(content()).toBe(line(1) + line(2))
    expect(counted).toEqual([])
  })

  it('cuts off a line a crash has torn, wherever it tore it', async () => {
    await writer.write([event(1)])
    await writer.close?.()
    for (let kept = 1; kept < line(2).length; kept += 1) {
      writeFileSync(path, line(1) + line(2).slice(0, kept))
      const next = await open(path, false)
      await next.write([event(3)])
      await next.close?.()
      expect(content()).toBe(line(1) + line(3))
    }
    expect(new Set(counted)).toEqual(new Set(['torn_line_cut']))
    expect(counted).toHaveLength(line(2).length - 1)
  })

  it('finds the last newline however far back it is', async () => {
    await writer.write([event(1)])
    for (const length of [65_535, 65_536, 65_537, 200_000]) {
      writeFileSync(path, `${line(1)}{${'x'.repeat(length - 1)}`)
      const next = await open(path, false)
      await next.write([event(2)])
      await next.close?.()
      expect(content()).toBe(line(1) + line(2))
    }
  })

  it('cuts a file down to nothing when all of it is one torn line', async () => {
    await writer.write([event(1)])
    writeFileSync(path, '{"data":{"n"')
    await writer.close?.()
    writer = await open(path)
    await writer.write([event(2)])
    expect(content()).toBe(line(2))
  })

  it('leaves a file alone that ends in something else', async () => {
    const other = join(folder, 'notes.txt')
    writeFileSync(other, 'first\nno newline here')
    await expect(open(other)).rejects.toMatchObject({ code: 'NOT_NDJSON' })
    expect(readFileSync(other, 'utf8')).toBe('first\nno newline here')
  })

  it('makes the file anew when it was renamed or removed, as log rotation does', async () => {
    await writer.write([event(1)])
    renameSync(path, `${path}.1`)
    await writer.write([event(2)])
    expect(content()).toBe(line(2))
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(line(1))
    rmSync(path)
    await writer.write([event(3)])
    expect(content()).toBe(line(3))
  })

  it('goes on at the new end when the file was cut', async () => {
    await writer.write([event(1), event(2)])
    writeFileSync(path, '')
    await writer.write([event(3)])
    expect(content()).toBe(line(3))
  })

  it('says that the file cannot be written, and writes once it can', async () => {
    const blocked = join(folder, 'blocked')
    writeFileSync(blocked, '')
    const late = join(blocked, 'events.ndjson')
    await expect(open(late)).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'FILE_UNAVAILABLE',
      message: expect.stringContaining('blocked/events.ndjson'),
    })
    rmSync(blocked)
    const opened = await open(late)
    await opened.write([event(1)])
    await opened.close?.()
    expect(readFileSync(join(blocked, 'events.ndjson'), 'utf8')).toBe(line(1))
  })

  it('hands back an event nested too deeply and writes the others', async () => {
    const deep = event(2, JSON.parse(`{"x":${'['.repeat(300)}${']'.repeat(300)}}`))
    const refusals = await writer.write([event(1), deep, event(3)])
    expect(refusals).toMatchObject([{ event: { id: deep.id }, failure: { code: 'JSON_DEPTH' } }])
    expect(content()).toBe(line(1) + line(3))
  })

  it('never lets a value begin a line of its own', async () => {
    await writer.write([event(1, { n: 'a\n{"data":{}}\r\n\u2028' })])
    appendFileSync(path, '')
    expect(content().split('\n')).toHaveLength(2)
  })

  it('cuts the file back to where the checkpoint left it, and goes on with the same bytes', async () => {
    await writer.write([event(1), event(2)])
    const saved = JSON.parse(JSON.stringify(writer.position?.()))
    await writer.write([event(3), event(4)])
    await writer.close?.()
    writer = await open(path, true, saved)
    expect(content()).toBe(line(1) + line(2))
    expect(counted).toEqual(['cut_back'])
    await writer.write([event(3), event(4), event(5)])
    expect(content()).toBe([1, 2, 3, 4, 5].map(line).join(''))
  })

  it('knows where it stands before its first write', async () => {
    await writer.write([event(1)])
    await writer.close?.()
    writer = await open(path)
    const before = writer.position?.()
    await writer.write([event(2)])
    await writer.close?.()
    writer = await open(path, true, before)
    expect(content()).toBe(line(1))
  })

  it('takes nothing from a file that came in place of the saved one', async () => {
    await writer.write([event(1)])
    const saved = writer.position?.()
    renameSync(path, `${path}.1`)
    await writer.write([event(2), event(3)])
    await writer.close?.()
    writer = await open(path, true, saved)
    expect(content()).toBe(line(2) + line(3))
    await writer.write([event(2)])
    expect(content()).toBe(line(2) + line(3) + line(2))
    expect(readFileSync(`${path}.1`, 'utf8')).toBe(line(1))
  })

  it('saves the place in the new file after a rotation', async () => {
    await writer.write([event(1)])
    renameSync(path, `${path}.1`)
    await writer.write([event(2)])
    const saved = writer.position?.()
    await writer.write([event(3)])
    await writer.close?.()
    writer = await open(path, true, saved)
    expect(content()).toBe(line(2))
  })

  it('goes on at the end of a file that others have cut shorter than it was saved', async () => {
    await writer.write([event(1), event(2)])
    const saved = writer.position?.()
    await writer.close?.()
    writeFileSync(path, line(1))
    writer = await open(path, true, saved)
    await writer.write([event(3)])
    expect(content()).toBe(line(1) + line(3))
  })

  it('never cuts a line in two, though the file is not what it was', async () => {
    await writer.write([event(1)])
    const saved = writer.position?.()
    await writer.close?.()
    writeFileSync(path, line(10) + line(11))
    writer = await open(path, true, saved)
    expect(content()).toBe(line(10) + line(11))
  })
})
