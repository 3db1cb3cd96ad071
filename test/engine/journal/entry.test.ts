import { zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Reject } from '../../../engine/define.ts'
import type { Data, Draft } from '../../../engine/event.ts'
import { sequenceId } from '../../../engine/ids.ts'
import { Body } from '../../../engine/journal/body.ts'
import { type Entry, encodeEntry, packBody, unpackEntries } from '../../../engine/journal/entry.ts'

const stream = 'a'.repeat(16)
const entryOf = (events: Entry['events'], first = 7): Entry => ({
  source: 'lines',
  stream,
  first,
  position: { at: 1 },
  events,
})

function bodyOf(entries: readonly Entry[]): Body {
  const body = new Body()
  for (const entry of entries) encodeEntry(entry, body)
  return body
}
const roundTrip = async (entries: readonly Entry[]) =>
  unpackEntries(await packBody(bodyOf(entries)))

/** What a journal promises to give back: the JSON of each event, with the id it has. */
function expected(entry: Entry): string {
  const events = entry.events.map((event, index) => {
    const named = ({ id = sequenceId(stream, entry.first + index), topic, time, data }: Draft) => ({
      id,
      topic,
      time,
      data,
    })
    if (!('failure' in event)) return named(event)
    return { failure: event.failure, draft: named(event.draft) }
  })
  return JSON.stringify({ ...entry, events })
}

/** Any UTF-16 there is, halves of surrogate pairs included. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 32, max: 126 }), fc.integer({ min: 0, max: 0xffff })))
  .map((units) => String.fromCharCode(...units))
const key = fc.oneof(text, fc.constantFrom('line', '__proto__', '7', 'constructor'))
const time = fc.oneof(
  fc.integer({ min: 1_772_355_600_000, max: 1_772_355_700_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const topic = fc.constantFrom('line', 'other')
/** The shapes that make a run are frequent enough to stand side by side. */
const data: fc.Arbitrary<Data> = fc.oneof(
  fc.record({ line: fc.string() }),
  fc.record({ line: text }),
  fc.record({ line: fc.string(), peer: text }, { requiredKeys: ['line'] }),
  fc.constant({}),
  fc.record({ line: fc.oneof(fc.string(), fc.constant(undefined), fc.integer()) }),
  fc.dictionary(key, fc.oneof(text, fc.jsonValue())),
)
const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ topic, time, data }) },
  { weight: 1, arbitrary: fc.record({ id: fc.string(), topic, time, data }) },
)
const event: fc.Arbitrary<Draft | Reject> = fc.oneof(
  { weight: 6, arbitrary: draft },
  {
    weight: 1,
    arbitrary: fc.record({ failure: fc.record({ code: text, message: text }), draft }),
  },
)

const lines = (...texts: string[]): Draft[] =>
  texts.map((line, index) => ({ topic: 'line', time: 1000 + index, data: { line } }))

describe('the entries of a frame', () => {
  it('come out as they went in, whatever JSON they hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(event, { maxLength: 12 }), { maxLength: 4 }),
        async (all) => {
          const entries = all.map((events, index) => entryOf(events, index * 100))
          const back = await roundTrip(entries)
          expect(back.map((entry) => JSON.stringify(entry))).toEqual(entries.map(expected))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('hold plain lines as they are, and only numbers besides', () => {
    const one = bodyOf([entryOf(lines('a "quoted" line\n', 'é\u2028'))]).bytes
    expect(one.includes('a "quoted" line\né\u2028')).toBe(true)
    const more = bodyOf([entryOf(lines('a "quoted" line\n', 'é\u2028', 'x'.repeat(50)))]).bytes
    expect(more.length - one.length).toBe(50 + ',1'.length + ',50'.length)
  })

  it('are read where they were written before texts stood apart', async () => {
    const items = [
      ['line', 1000, { line: 'one' }],
      ['line', 1001, { line: 'two' }, 'f'.repeat(32)],
      ['line', 1002, { line: 'three' }, null, 'BAD', 'no'],
    ]
    const old = { source: 'lines', stream, first: 7, position: { at: 1 }, items }
    const now = bodyOf([entryOf(lines('four'))]).bytes
    const [first, second] = await unpackEntries(
      zstdCompressSync(Buffer.concat([Buffer.from(`${JSON.stringify(old)}\n`), now])),
    )
    const [one, two, three] = lines('one', 'two', 'three') as [Draft, Draft, Draft]
    const failure = { code: 'BAD', message: 'no' }
    expect(first).toEqual(
      entryOf([
        { ...one, id: `${stream}0000000000000007` },
        { ...two, id: 'f'.repeat(32) },
        { failure, draft: { ...three, id: `${stream}0000000000000009` } },
      ]),
    )
    expect(second?.events).toMatchObject(lines('four'))
  })

  it('are damage when the body is cut at any byte, or the payload is', async () => {
    const body = bodyOf([entryOf(lines('one', 'two'))])
    const payload = await packBody(body)
    for (let end = 1; end < body.length; end++) {
      const cut = zstdCompressSync(body.bytes.subarray(0, end))
      await expect(unpackEntries(cut), `${end}`).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' })
    }
    for (let end = 0; end < payload.length; end++) {
      await expect(unpackEntries(payload.subarray(0, end))).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
      })
    }
  })

  it('are read, or refused as damage, whatever bytes of a body are wrong', async () => {
    const good = Buffer.from(bodyOf([entryOf([...lines('one', 'two'), ...lines('\ud800')])]).bytes)
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, value) => {
        const wrong = Buffer.from(good)
        wrong[at] = value
        const read = await unpackEntries(zstdCompressSync(wrong)).catch((error: unknown) => error)
        if (!Array.isArray(read)) expect(read).toMatchObject({ code: 'JOURNAL_DAMAGED' })
      }),
      { numRuns: 500 },
    )
  })
})

describe('the body of a frame', () => {
  it('is as it was when an entry cannot be written', async () => {
    const body = bodyOf([entryOf(lines('one'))])
    const before = body.length
    const endless: Data = {}
    endless.self = endless
    const events = [...lines('two'), { topic: 'line', time: 1, data: endless }]
    expect(() => encodeEntry(entryOf(events), body)).toThrow(TypeError)
    expect(body.length).toBe(before)
    encodeEntry(entryOf(lines('three'), 8), body)
    const back = await unpackEntries(await packBody(body))
    expect(back.map(({ events: [only] }) => only)).toMatchObject(
      lines('one').concat(lines('three')),
    )
  })

  it('holds texts of any length, and gives back the memory of a very long one', () => {
    const body = new Body()
    for (const length of [1, 70_000, 5_000_000]) body.text('é'.repeat(length))
    expect(body.bytes.toString()).toBe('é'.repeat(5_070_001))
    body.clear()
    expect(body.length).toBe(0)
    expect(body.held).toBeLessThan(100_000)
  })
})
