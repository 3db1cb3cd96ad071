import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventReader, type Row, sinkRows } from '../../../engine/diff/rows.ts'
import { eventLine } from '../../../protocols/event_json.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-rows-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function rowsOf(text: string): Promise<{ file: string; rows: Row[] }> {
  const file = join(dir, 'sink.ndjson')
  writeFileSync(file, text)
  const rows: Row[] = []
  for await (const some of sinkRows(file)()) rows.push(...some)
  return { file, rows }
}

const event = (id: string, data: Record<string, unknown>) => ({ id, topic: 'a.b', time: 1.5, data })

it('takes the id of the event, whatever its data says', async () => {
  const forged = event('real', { id: 'fake', text: ',"id":"fake","time":1', z: { id: 'fake' } })
  const line = eventLine(forged)
  const { rows } = await rowsOf(`${line}\n`)
  expect(rows).toMatchObject([{ id: 'real', digest: hash('sha256', line, 'hex').slice(0, 16) }])
})

it('reads every event of a file of many chunks, and each again by itself', async () => {
  const events = Array.from({ length: 500 }, (_, n) => event(`e${n}`, { n, é: 'x'.repeat(n * 7) }))
  const { file, rows } = await rowsOf(events.map((one) => `${eventLine(one)}\n`).join(''))
  const reader = eventReader(file)
  expect(rows.map((row) => reader.read(row))).toEqual(events)
  reader.close()
})

it('refuses a last line that was cut off at any place', async () => {
  const text = `${eventLine(event('one', {}))}\n${eventLine(event('two', { a: 1 }))}\n`
  const second = text.indexOf('\n') + 1
  for (let end = second + 1; end < text.length; end++) {
    await expect(rowsOf(text.slice(0, end))).rejects.toMatchObject({ code: 'SINK_FILE' })
  }
})
