import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIsoMicros, formatSeconds, isoMicros } from '../../protocols/iso_time.ts'

describe('an ISO instant', () => {
  it.each([
    ['2026-03-01T09:00:00.123456+00:00', 1772355600123456],
    ['2026-03-01T09:00:00Z', 1772355600000000],
    ['2026-03-01T09:00:00', 1772355600000000],
    ['2026-03-01 09:00:00.5', 1772355600500000],
    ['2026-03-01T11:00:00+02:00', 1772355600000000],
    ['2026-03-01T11:00:00+0200', 1772355600000000],
    ['2026-03-01T09:00:00.123456789Z', 1772355600123456],
    ['2024-02-29T00:00:00Z', 1709164800000000],
    ['2000-02-29T00:00:00Z', 951782400000000],
    ['1969-12-31T23:59:59.999999Z', -1],
  ])('is read from %s', (text, micros) => expect(isoMicros(text)).toBe(micros))

  it.each([
    '',
    '-',
    '2026-03-01',
    '2026-03-01T09:00',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-00T00:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T09:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-03-01T09:00:00.Z',
    '2026-03-01T09:00:00+24:00',
    '2026-03-01T09:00:00+02:60',
    '2026-03-01T09:00:00+2',
    '2026-03-01T09:00:00Z+07:00',
    '2026-03-01t09:00:00Z',
    '2026-03-01T09:00:00ZZ',
    '2026/03/01T09:00:00Z',
    '２026-03-01T09:00:00Z',
  ])('is refused: %j', (text) => expect(isoMicros(text)).toBeNaN())

  it('is read from the middle of a text, and cut at no other place than its end', () => {
    const text = '2026-03-01T09:00:00.123456+00:00'
    expect(isoMicros(`<134>1 ${text} web-01`, 7, 7 + text.length)).toBe(1772355600123456)
    const lengths = Array.from({ length: text.length + 1 }, (_, length) => length)
    const readable = lengths.filter((length) => !Number.isNaN(isoMicros(text, 0, length)))
    // seconds, one to six digits of fraction, the whole
    expect(readable).toEqual([19, 21, 22, 23, 24, 25, 26, 32])
  })

  it('agrees with Date on every instant, and survives printing', () => {
    const instants = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instants, (date) => {
        const micros = isoMicros(date.toISOString())
        expect(micros).toBe(date.getTime() * 1000)
        expect(formatSeconds(micros)).toBe(date.toISOString().slice(0, 19).replace('T', ' '))
      }),
    )
    const micros = fc.integer({ min: -62_000_000_000_000, max: 9_000_000_000_000_000 })
    fc.assert(
      fc.property(micros, (value) => {
        expect(isoMicros(formatIsoMicros(value))).toBe(value)
      }),
    )
  })
})
