import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sinkRows } from '../../engine/diff/rows.ts'
import { plainText, RECORD_BYTES, recordWriter } from '../../engine/edge_record.ts'
import type { Data, Event } from '../../engine/event.ts'
import { eventLine } from '../../protocols/event_json.ts'

function recordOf(event: Event, write = recordWriter(eventLine)): string {
  const bytes = Buffer.alloc(RECORD_BYTES + 8)
  write(event, bytes, 8)
  return bytes.toString('hex', 8)
}

/** Any UTF-16 there is, halves of surrogate pairs included. */
const text = fc
  .array(fc.oneof(fc.constantFrom(0, 32, 34, 48, 49, 92), fc.integer({ min: 0, max: 0xffff })), {
    maxLength: 5,
  })
  .map((units) => String.fromCharCode(...units))
const id = fc.oneof(fc.constant('0f'.repeat(16)), fc.constantFrom('1', '11', 'id'))
const data: fc.Arbitrary<Data> = fc.oneof(
  fc.dictionary(text, text, { maxKeys: 2 }),
  fc.record({ line: text }),
  fc.record({ line: fc.jsonValue() }),
  fc.record({ line: text, peer: fc.record({ line: text }) }),
)
const topic = fc.constantFrom('a', 'a.b')
const event: fc.Arbitrary<Event> = fc.record({
  id,
  topic,
  time: fc.double({ noNaN: true, noDefaultInfinity: true }),
  data,
})

it('notes the id and the time as they are', () => {
  const record = recordOf({ id: '0123456789abcdef'.repeat(2), topic: 't', time: 1.5, data: {} })
  expect(record.slice(0, 48)).toBe(`${'0123456789abcdef'.repeat(2)}000000000000f83f`)
})

it.each(['0123456789ABCDEF'.repeat(2), 'f'.repeat(31), `${'f'.repeat(31)}g`, 'é'.repeat(32)])(
  'notes the hash of %s, which is no id of its own making',
  (other) => {
    const record = recordOf({ id: other, topic: 't', time: 0, data: {} })
    expect(record.slice(0, 32)).not.toBe(recordOf({ id: 'x', topic: 't', time: 0, data: {} }))
    expect(record).toBe(recordOf({ id: other, topic: 't', time: 0, data: {} }))
  },
)

it('notes an event the same however many came before and in between', () => {
  const write = recordWriter(eventLine)
  const events = Array.from({ length: 10_000 }, (_, n): Event => {
    return { id: n.toString(16).padStart(32, '0'), topic: 't', time: n, data: { n } }
  })
  const once = events.map((one) => recordOf(one, write))
  expect(events.map((one) => recordOf(one, write))).toEqual(once)
  expect(once[9999]).toBe(recordOf(events[9999] as Event))
  expect(new Set(once).size).toBe(events.length)
})

it('has a text of its own for each event, and for none that UTF-8 cannot hold', () => {
  fc.assert(
    fc.property(event, event, (one, other) => {
      const plain = plainText(one)
      if (plain === undefined) return
      expect(Object.keys(one.data)).toHaveLength(1)
      expect(Buffer.from(plain).toString()).toBe(plain)
      expect(plain.startsWith('{')).toBe(false)
      expect(plain === plainText(other)).toBe(eventLine(one) === eventLine(other))
    }),
    { numRuns: 2000 },
  )
})

it('gives each event the digest by which it is found in what the sinks wrote', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'decnet-record-'))
  const file = join(dir, 'sink.ndjson')
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 20 }), async (events) => {
      writeFileSync(file, events.map((one) => `${eventLine(one)}\n`).join(''))
      const digests: string[] = []
      for await (const rows of sinkRows(file)()) digests.push(...rows.map(({ digest }) => digest))
      expect(digests).toEqual(events.map((one) => recordOf(one).slice(48)))
    }),
  )
  rmSync(dir, { recursive: true })
})
