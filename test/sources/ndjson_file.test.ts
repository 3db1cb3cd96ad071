import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileFingerprint, lineId } from '../../protocols/line_identity.ts'
import { ndjsonFile } from '../../sources/ndjson_file.ts'
import { NOW, startSource } from './source_run.ts'

const config = { path: '', topic: 'ndjson', max_line: 1000 }
const captured = (line: string, more: object = {}) =>
  ndjsonFile.fromLine(line, NOW, { ...config, ...more })

describe('a line of ndjson_file', () => {
  it('that is an event is that event', () => {
    const event = { id: 'f'.repeat(32), topic: 'system.log', time: 1.5, data: { a: 1 } }
    expect(captured(JSON.stringify(event))).toEqual(event)
  })

  it.each([
    ['upper-case', 'F'.repeat(32)],
    ['too short', 'f'.repeat(31)],
    ['a number', 7],
  ])('keeps no id that is %s', (_, id) => {
    expect(captured(JSON.stringify({ id, topic: 't', time: 1, data: {} }))).toEqual({
      topic: 't',
      time: 1,
      data: {},
    })
  })

  it.each([
    ['has no data', { topic: 'a', time: 1 }],
    ['has data that is no object', { topic: 'a', time: 1, data: [] }],
    ['has more than an event has', { topic: 'a', time: 1, data: {}, more: 1 }],
    ['has a topic that is none', { topic: 'a. b', time: 1, data: {} }],
    ['has no number for a time', { topic: 'a', time: '2026-03-01T00:00:00Z', data: {} }],
  ])('that %s is the data of an event', (_, data) => {
    expect(captured(JSON.stringify(data))).toMatchObject({ topic: 'ndjson', data })
  })

  it.each([
    [{ at: '2026-03-01T09:00:00.5Z' }, Date.UTC(2026, 2, 1, 9, 0, 0, 500)],
    [{ at: '2026-03-01T09:00:00+02:00' }, Date.UTC(2026, 2, 1, 7)],
    [{ at: '2026-03-01 09:00:00' }, Date.UTC(2026, 2, 1, 9)],
    [{ at: 1_700_000_001 }, 1_700_000_001_000],
    [{ at: 1_700_000_001_250 }, 1_700_000_001_250],
    [{ at: 'yesterday', timestamp: '2026-03-01T09:00:00Z' }, Date.UTC(2026, 2, 1, 9)],
    [{ at: 1e300, ts: 1_700_000_002 }, 1_700_000_002_000],
    [{ timestamp: '2026-03-01T09:00:00Z' }, Date.UTC(2026, 2, 1, 9)],
    [{ at: null }, NOW],
  ])('takes the time of %j', (data, time) => {
    expect(captured(JSON.stringify(data), { time_field: 'at' })).toMatchObject({ time, data })
  })

  it.each([
    ['BAD_JSON', '{"cut": '],
    ['BAD_JSON', ''],
    ['BAD_JSON', '\ud800'],
    ['NOT_AN_OBJECT', '[1]'],
    ['NOT_AN_OBJECT', 'null'],
    ['NOT_AN_OBJECT', '"text"'],
    ['TOO_DEEP', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
    ['TOO_DEEP', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
    ['LINE_TOO_LONG', `{"a":"${'x'.repeat(1000)}"}`],
  ])('is refused with %s: %j', (code, line) => {
    const { failure, draft } = captured(line) as { failure: { code: string }; draft: object }
    expect(failure.code).toBe(code)
    expect(draft).toMatchObject({ topic: 'line', data: { line: line.slice(0, 1000) } })
  })

  it('may be 64 levels deep and not one more', () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    expect(captured(nested(64))).toHaveProperty('data.a.a')
    expect(captured(nested(65))).toMatchObject({ failure: { code: 'TOO_DEEP' } })
  })

  it('that nests a hundred thousand levels deep is refused without harm', () => {
    const line = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(captured(line, { max_line: 1_000_000 })).toMatchObject({ failure: { code: 'TOO_DEEP' } })
  })
})

describe('ndjson_file', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-ndjson-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives what has no id of its own one made of its place, also what it refuses', async () => {
    const path = join(folder, 'events.ndjson')
    const known = { id: 'a'.repeat(32), topic: 't', time: 1, data: {} }
    writeFileSync(path, `{"n":1}\n${JSON.stringify(known)}\n{bad\n`)
    const files = { ...config, path, start: 'beginning', poll: 10, follow: false }
    const run = startSource(ndjsonFile, files).flow()
    await run.done
    const fingerprint = fileFingerprint('lines', 0, '{"n":1}')
    const third = 8 + JSON.stringify(known).length + 1
    expect(run.events).toMatchObject([
      { id: lineId(fingerprint, 0), topic: 'ndjson', time: known.time, data: { n: 1 } },
      known,
      { failure: { code: 'BAD_JSON' }, draft: { id: lineId(fingerprint, third) } },
    ])
  })
})
