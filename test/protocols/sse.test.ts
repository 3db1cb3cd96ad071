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

  // What the eventsource suite of the web platform tests asks of a parser, in inputs of our own.
  it.each<readonly [string, string, readonly (string | readonly [string, string])[]]>([
    ['lines that end in CR, LF or both', 'data:1\rdata:2\r\ndata:3\n\r', ['1\n2\n3']],
    [
      'a blank line in each of the three ways',
      'data:a\r\rdata:b\r\n\r\ndata:c\n\n',
      ['a', 'b', 'c'],
    ],
    ['CR LF as one end, not two', 'data:a\r\ndata:b\r\n\r\n', ['a\nb']],
    ['LF CR as two', 'data:a\n\rdata:b\n\r', ['a', 'b']],
    ['no event of an end without a blank line', 'data: 1\n\ndata: cut off', ['1']],
    ['nor of one with a line end only', 'data: 1\n\ndata: cut off\n', ['1']],
    ['a name that lasts for one event', 'event: a\ndata: 1\n\ndata: 2\n\n', [['a', '1'], '2']],
    ['a name without data, which is forgotten', 'event: a\n\ndata: b\n\n', ['b']],
    ['an empty name as none', 'event: a\nevent:\ndata: b\n\nevent\ndata: c\n\n', ['b', 'c']],
    ['the last of several names', 'event: a\nevent: b\ndata: c\n\n', [['b', 'c']]],
    ['data without a colon as empty', 'data\n\n', ['']],
    ['two of these as a line end', 'data\ndata\n\n', ['\n']],
    ['empty data with a colon', 'data:\n\ndata: \n\n', ['', '']],
    ['no event of other fields alone', 'id: 1\nretry: 5\nfoo: bar\n\n', []],
    ['one blank after the colon as none of the value', 'data:  a\ndata:\tb \n\n', [' a\n\tb ']],
    ['a blank before the name as part of it', ' data: no\n\ndata : no\n\n', []],
    ['names in lower case only', 'DATA: no\nData: no\ndata:yes\n\n', ['yes']],
    ['names whole', 'dat: no\ndatas: no\n\ndata:data:yes\n\n', ['data:yes']],
    [
      'comments as nothing, in an event too',
      ':a\n: b\n:\ndata:1\n:\0\n:data:2\ndata:3\n\n',
      ['1\n3'],
    ],
    ['a comment as long as it likes', `data:1\n:${'x'.repeat(5000)}\ndata:2\n\n`, ['1\n2']],
    ['NUL in data and in names', 'data:a\0b\n\0data: no\ndata\0: no\n\n', ['a\0b']],
    ['a byte order mark at the start', '\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n', ['1', '3']],
    ['only one of them', '\ufeff\ufeffdata:1\n\ndata:2\n\n', ['2']],
    ['UTF-8, whatever is said of it', 'data:ok…é😀\n\n', ['ok…é😀']],
    [
      'line ends of other scripts as text',
      'data:a\u2028b\u2029c\u0085d\vf\f\n\n',
      ['a\u2028b\u2029c\u0085d\vf\f'],
    ],
  ])('reads %s', (_what, stream, wanted) => {
    const events = wanted.map((one) =>
      typeof one === 'string' ? { type: 'message', data: one } : { type: one[0], data: one[1] },
    )
    expect(shown(parse(stream).events)).toEqual(events)
    // A long comment is cut in some places only.
    const bytes = Buffer.byteLength(stream)
    for (let cut = 1; cut < bytes; cut += Math.ceil(bytes / 100)) {
      expect(shown(parse(stream, [cut, cut + 1]).events)).toEqual(events)
    }
  })

  it.each([
    ['retry: 3000\n', 3000],
    ['retry:3000\n', 3000],
    ['retry\nretry:\n', undefined],
    ['retry: 1000x\nretry: -5\nretry: 1.5\nretry: 1e3\nretry:  7\nretry: ٣\n', undefined],
    ['retry: 5000\nretry: 1000x\nretry\n', 5000],
    [`retry: ${'9'.repeat(40)}\n`, undefined],
  ])('takes from %j how long to wait', (stream, retry) => {
    expect(parse(stream).parser.retry).toBe(retry)
  })

  it('replaces what is no UTF-8', () => {
    const parser = new SseParser()
    const bytes = Buffer.concat([
      Buffer.from('data:a'),
      Buffer.from([0xff, 0xe2, 0x82]),
      Buffer.from('\n\n'),
    ])
    expect(shown(parser.push(bytes))).toEqual([{ type: 'message', data: 'a\ufffd\ufffd' }])
  })

  it.each<readonly [string, readonly string[], string]>([
    ['id: 7\ndata: a\n\nid: 8\0\ndata: b\n\nid\ndata: c\n\n', ['7', '7', ''], ''],
    ['id:1\ndata: a\n\ndata: b\n\n', ['1', '1'], '1'],
    ['id: …\ndata: a\n\n', ['…'], '…'],
    ['id: 1\nid: 2\ndata: a\n\n', ['2'], '2'],
    // Of an event without data the id counts; of one that is cut off it does not.
    ['id: 1\n\n', [], '1'],
    ['id: 1\ndata: a\n\nid: 2\ndata: b\n', ['1'], '1'],
  ])('remembers of %j the ids %j, in the end %j', (stream, ids, last) => {
    const { events, parser } = parse(stream)
    expect(events.map(({ lastEventId }) => lastEventId)).toEqual(ids)
    expect(parser.lastEventId).toBe(last)
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

  it.each([
    ['one line of data', 'data: ', 'x', '\n\n', 17],
    ['a line of data with more behind it', 'data: ', 'x', '\ndata: tail\nid: 5\n\n', 17],
    ['many lines of data', '', `data: ${'x'.repeat(1000)}\n`, '\n', 17],
    ['many empty lines of data', '', 'data\n', '\n', 6],
    ['a name', 'data: a\nevent: ', 'x', '\n\n', 17],
  ])(
    'drops an event that is too long whole, and goes on with the next: %s',
    (_what, head, part, tail, mebibytes) => {
      const parser = new SseParser()
      const mebibyte = Buffer.from(part.repeat(Math.ceil(2 ** 20 / part.length)))
      parser.push(Buffer.from(head))
      for (let i = 0; i < mebibytes; i++) expect(parser.push(mebibyte)).toEqual([])
      expect(shown(parser.push(Buffer.from(`${tail}data: next\n\n`)))).toEqual([
        { type: 'message', data: 'next' },
      ])
      expect(parser.dropped).toBe(1)
    },
  )

  it('passes over a comment of any length', () => {
    const parser = new SseParser()
    parser.push(Buffer.from('data: a\n:'))
    for (let i = 0; i < 17; i++) parser.push(Buffer.alloc(2 ** 20, 'x'))
    expect(shown(parser.push(Buffer.from('\n\n')))).toEqual([{ type: 'message', data: 'a' }])
    expect(parser.dropped).toBe(0)
  })

  it('refuses a name that is more than one line', () => {
    expect(() => encodeSse({ event: 'a\ndata: b', data: '' })).toThrow(RangeError)
    expect(() => encodeSse({ id: 'a\r', data: '' })).toThrow(RangeError)
  })
})
