import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safeReturn } from '../../../web/dashboard/src/app/return_path.ts'
import { toCsv } from '../../../web/dashboard/src/format/csv.ts'
import { readFingerprints } from '../../../web/dashboard/src/format/fingerprints.ts'
import { readFields, readTexts } from '../../../web/dashboard/src/format/json_texts.ts'
import { compact, counted, rate } from '../../../web/dashboard/src/format/number.ts'
import { readPaging } from '../../../web/dashboard/src/format/paging.ts'
import { filled, fromBuckets, stepFor } from '../../../web/dashboard/src/format/series.ts'
import { classTag } from '../../../web/dashboard/src/format/tcp_stack.ts'
import { hitsOf, threatOf } from '../../../web/dashboard/src/format/threat.ts'
import { absolute, duration, relative } from '../../../web/dashboard/src/format/time.ts'
import { cut, visible } from '../../../web/dashboard/src/format/visible.ts'
import { patternLines, readPatterns } from '../../../web/dashboard/src/format/webhook_patterns.ts'

describe('text of an attacker', () => {
  it.each([
    ['plain text, ünïcode and 漢字', 'plain text, ünïcode and 漢字'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['a\r\nb\tc\u0000', 'a\\r\\nb\\tc\\x00'],
    ['photo\u202egnp.exe', 'photo\\u202egnp.exe'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['half \ud800 pair', 'half \\ud800 pair'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['line\u2028end', 'line\\u2028end'],
    ['', ''],
  ])('%j is shown as %j', (text, shown) => expect(visible(text)).toBe(shown))

  it('never holds what cannot be seen, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  it('is cut between characters', () => {
    expect(cut('a😀b', 2)).toBe('a😀')
    expect(cut('short', 9)).toBe('short')
  })

  it('is no formula in a spreadsheet', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['=1+1', 'x"y,z'],
          ['-2', 'two\nlines'],
        ],
      ),
    ).toBe('a,b\r\n\'=1+1,"x""y,z"\r\n\'-2,"two\nlines"\r\n')
  })
})

describe('where a login leads', () => {
  it.each([
    ['/attackers?page=2', '/attackers?page=2'],
    [null, '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/a\nb', '/'],
    ['/login?return=/x', '/'],
  ])('%j is %j', (wanted, path) => expect(safeReturn(wanted)).toBe(path))
})

describe('times', () => {
  const now = Date.parse('2026-03-01T09:00:00Z')
  it.each([
    [now, 'now'],
    [now - 59_000, '59 s ago'],
    [now - 61_000, '1 m ago'],
    [now - 3_600_000 * 5, '5 h ago'],
    [now - 86_400_000 * 40, '40 d ago'],
    [now + 90_000, 'in 1 m'],
  ])('%d is %s', (at, text) => expect(relative(at, now)).toBe(text))

  it.each([
    [0, '0 ms'],
    [840, '840 ms'],
    [5200, '5.2 s'],
    [65_000, '1 m 5 s'],
    [7_500_000, '2 h 5 m'],
    [86_400_000, '1 d'],
  ])('%d ms last %s', (ms, text) => expect(duration(ms)).toBe(text))

  it('are shown in UTC, and not at all where there are none', () => {
    expect(absolute(now)).toBe('2026-03-01 09:00:00')
    expect(absolute(Number.NaN)).toBe('—')
    expect(absolute(1e300)).toBe('—')
  })
})

describe('counts', () => {
  it.each([
    [7, '7'],
    [999, '999'],
    [12_345, '12.3k'],
    [4_560_000, '4.6M'],
  ])('%d is %s', (value, text) => expect(compact(value)).toBe(text))

  it('name what they count', () => {
    expect(counted(1, 'address', 'addresses')).toBe('1 address')
    expect(counted(2000, 'event')).toBe('2,000 events')
    expect([rate(undefined), rate(0), rate(0.02), rate(160)]).toEqual([
      '–',
      '0/s',
      '<0.1/s',
      '160/s',
    ])
  })

  it('over time have a zero for each bucket that was left out', () => {
    const buckets = [
      { time: '2026-03-01 09:00:00', count: 2 },
      { time: '2026-03-01 09:02:00', count: 1 },
    ]
    expect(filled(fromBuckets(buckets), 60).map(({ count }) => count)).toEqual([2, 0, 1])
    expect(filled([], 60)).toEqual([])
  })

  it('over all of time are no more than can be drawn', () => {
    expect(filled([{ at: 0, count: 1 }], 1, 0, 1e12).length).toBeLessThanOrEqual(2000)
    expect(stepFor(3600)).toBe(1)
    expect(stepFor(86_400 * 60)).toBe(1440)
  })

  it('of five minutes make the threat', () => {
    const minutes = [
      { minute_ts: 1000, count: 500 },
      { minute_ts: 1900, count: 30 },
      { minute_ts: 1960, count: 25 },
    ]
    expect(hitsOf(minutes, 2_000_000)).toBe(55)
    expect([50, 51, 100, 101].map(threatOf)).toEqual(['normal', 'elevated', 'elevated', 'critical'])
  })
})

describe('what stands in an address', () => {
  it.each([
    [null, 1],
    ['3', 3],
    ['0', 1],
    ['-1', 1],
    ['x', 1],
    ['99999999999', 1],
    ['999999999', 42_949_672],
  ])('page %j is page %d', (text, page) => expect(readPaging(text, 50).page).toBe(page))
})

describe('JSON in a text', () => {
  it('is a list of texts, or nothing', () => {
    expect(readTexts('["a",1,"b"]')).toEqual(['a', 'b'])
    for (const bad of [null, '', '{', '{"a":1}', '7']) expect(readTexts(bad)).toEqual([])
    expect(readFields('{"b":1,"a":null}')).toEqual([
      ['b', 1],
      ['a', null],
    ])
    expect(readFields('[1]')).toEqual([])
  })
})

describe('classes of a TCP stack', () => {
  it.each([
    ['IPID', 'random', 'neutral', false],
    ['IPID', 'incremental', 'warn', false],
    ['IPID', 'zero', 'good', false],
    ['ISN', 'random', 'neutral', false],
    ['ISN', 'incremental', 'warn', true],
    ['ISN', 'constant', 'good', true],
  ] as const)('%s:%s is %s', (of, found, tone, warns) => {
    expect(classTag(of, found)).toEqual({ text: `${of}:${found.toUpperCase()}`, tone, warns })
  })

  it('are not shown where they are unknown', () => {
    expect(classTag('ISN', 'unknown')).toBeUndefined()
    expect(classTag('IPID', null)).toBeUndefined()
    expect(classTag('IPID', 'toString' as never)).toBeUndefined()
  })
})

describe('patterns of a webhook', () => {
  it('tick presets only where these say all of it', () => {
    expect(readPatterns(['attacker.>', 'system.>'])).toEqual({
      presets: ['AttackerDetail', 'SystemStatus'],
      raw: [],
    })
    expect(readPatterns(['attacker.>', 'x.*'])).toEqual({ presets: [], raw: ['attacker.>', 'x.*'] })
    expect(readPatterns(['decky.*.state'])).toEqual({ presets: [], raw: ['decky.*.state'] })
  })

  it('are one a line', () => expect(patternLines(' a.> \n\n b.*\n')).toEqual(['a.>', 'b.*']))
})

describe('fingerprints', () => {
  it('are read in both forms, each once, and nothing is made of what is none', () => {
    const ja3 = { fingerprint_type: 'ja3', ja3: 'aa', sni: 'shop.example' }
    const found = readFingerprints([
      { bounty_type: 'fingerprint', payload: ja3 },
      ja3,
      { fingerprint_type: 'hassh_server', hash: 'bb' },
      null,
      'x',
      {},
    ])
    expect(found).toEqual([
      { kind: 'ja3', value: 'aa', isActive: false, rest: [['sni', 'shop.example']] },
      { kind: 'hassh_server', value: 'bb', isActive: true, rest: [] },
    ])
  })
})
