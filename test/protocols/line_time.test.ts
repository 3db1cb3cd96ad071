import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lineTime } from '../../protocols/line_time.ts'

it.each([
  ['<134>1 2026-03-01T09:00:00.123456+00:00 web-01 http - request -', 1772355600123.456],
  ['<134>1 2026-03-01T11:00:00+02:00 a', 1772355600000],
  ['<134>1 - web-01 http - request -', undefined],
  ['<134>1 2026-03-01T09:00:00Z', undefined],
  ['<34>Oct 11 22:14:15 host su: x', undefined],
  ['{"eventid":"cowrie.x","timestamp":"2020-02-22T03:50:13.690933Z"}', 1582343413690.933],
  ['{"a":"timestamp","timestamp" : "2020-02-22T03:50:13Z"}', 1582343413000],
  ['{"a":"\\"timestamp\\":\\"1999-01-01T00:00:00Z\\"","ts":"2020-02-22T03:50:13Z"}', 1582343413000],
  ['{"time":1582343413690.5,"x":1}', 1582343413690.5],
  ['{"ts":1582343413.5}', 1582343413500],
  ['{"timestamp":"soon","time":1582343413}', 1582343413000],
  ['{"time":"later"}', undefined],
  ['{"time":null}', undefined],
  ['plain text', undefined],
  ['', undefined],
])('%s is of %s', (line, time) => expect(lineTime(line)).toBe(time))

it('looks at both ends of a long line and no further', () => {
  const stamp = '"timestamp":"2020-02-22T03:50:13Z"'
  const filler = `"x":"${'y'.repeat(10_000)}"`
  expect(lineTime(`{${filler},${stamp}}`)).toBe(1582343413000)
  expect(lineTime(`{${stamp},${filler}}`)).toBe(1582343413000)
  expect(lineTime(`{${filler},${stamp},${filler}}`)).toBeUndefined()
})

it('never throws', () => {
  const text = fc.string({ unit: fc.constantFrom(...'<>{}":, 0129TZ+-.tsime\\'.split('')) })
  const lines = fc.oneof(
    text,
    text.map((rest) => `{"ts":${rest}`),
    text.map((rest) => `<1>1 ${rest}`),
  )
  fc.assert(
    fc.property(lines, (line) => {
      const time = lineTime(line)
      expect(time === undefined || Number.isFinite(time)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
