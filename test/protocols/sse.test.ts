import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeSse, KEEPALIVE, type SseEvent, SseParser } from '../../protocols/sse.ts'

const CORPUS = new URL('../../../shared/corpus/sse/wpt-eventsource-streams.jsonl', import.meta.url)

function parse(
  stream: string,
  cuts: readonly number[] = [],
): { parser: SseParser; events: SseEvent[] } {
  const parser = new SseParser()
  const bytes = Buffer.from(stream)
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  let start = 0
  const events = ends.flatMap((end) => {
    const some = parser.push(bytes.subarray(start, end))
    start = end
    return some
  })
  return { parser, events }
}
const shown = (events: readonly SseEvent[]) => events.map(({ type, data }) => ({ type, data }))

describe('a stream of server-sent events', () => {
  it.skipIf(!existsSync(CORPUS))('is read as the browsers do', () => {
    const cases = readFileSync(CORPUS, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(cases.length).toBe(6)
    for (const { stream, expect: wanted, expect_retry_ms } of cases) {
      const { parser, events } = parse(stream)
      expect(shown(events)).toEqual(wanted)
      if (expect_retry_ms !== undefined) expect(parser.retry).toBe(expect_retry_ms)
      for (let cut = 0; cut <= Buffer.byteLength(stream); cut++) {
        expect(shown(parse(stream, [cut]).events)).toEqual(wanted)
      }
    }
  })

  it.each([
    ['data:1\rdata:2\r\ndata:3\n\r', [{ type: 'message', data: '1\n2\n3' }]],
    ['data: 1\n\ndata: cut off', [{ type: 'message', data: '1' }]],
    ['event: a\n\ndata: b\n\n', [{ type: 'message', data: 'b' }]],
    ['data\n\n', [{ type: 'message', data: '' }]],
    [' data: no\ndata : no\n\n', []],
  ])('takes %j apart', (stream, wanted) => {
    expect(shown(parse(stream).events)).toEqual(wanted)
  })

  it('remembers the last id, but none with NUL in it', () => {
    const { events, parser } = parse('id: 7\ndata: a\n\nid: 8\0\ndata: b\n\nid\ndata: c\n\n')
    expect(events.map(({ lastEventId }) => lastEventId)).toEqual(['7', '7', ''])
    expect(parser.lastEventId).toBe('')
  })

  it('gives back whatever was encoded, cut anywhere', () => {
    const word = fc
      .string({ minLength: 1, maxLength: 20 })
      .filter((text) => /^[^\r\n\0 ]+$/.test(text))
    const frame = fc.record({ id: word, event: word, data: fc.string({ unit: 'binary' }) })
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (all, cuts) => {
          const stream = all.map((one) => KEEPALIVE + encodeSse(one)).join('')
          const wanted = all.map(({ id, event, data }) => ({
            type: event.toWellFormed(),
            data: data.toWellFormed().replace(/\r\n?/g, '\n'),
            lastEventId: id.toWellFormed(),
          }))
          expect(parse(stream, cuts).events).toEqual(wanted)
        },
      ),
    )
  })

  it('never throws, and gives the same however it is cut', () => {
    const bytes = fc.string({
      unit: fc.constantFrom('d', 'a', 't', ':', ' ', '\r', '\n', 'i', '\0', '\ufeff', 'é'),
    })
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (stream, cuts) => {
        expect(parse(stream, cuts).events).toEqual(parse(stream).events)
      }),
    )
  })

  it('drops an event that is too long, and goes on with the next', () => {
    const parser = new SseParser()
    const mebibyte = Buffer.from('x'.repeat(2 ** 20))
    parser.push(Buffer.from('data: '))
    for (let i = 0; i < 17; i++) expect(parser.push(mebibyte)).toEqual([])
    expect(shown(parser.push(Buffer.from('\n\ndata: next\n\n')))).toEqual([
      { type: 'message', data: 'next' },
    ])
    expect(parser.dropped).toBe(1)
  })

  it('refuses a name that is more than one line', () => {
    expect(() => encodeSse({ event: 'a\ndata: b', data: '' })).toThrow(RangeError)
    expect(() => encodeSse({ id: 'a\r', data: '' })).toThrow(RangeError)
  })
})
