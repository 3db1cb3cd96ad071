import { describe, expect, it } from 'vitest'
import { durationOption, momentOption, sizeOption, speedOption } from '../../cli/moment.ts'

describe('a moment on the command line', () => {
  it.each([
    ['2026-03-01T09:00:00Z', 1_772_355_600_000],
    ['2026-03-01T09:00:00.5+01:00', 1_772_352_000_500],
    ['2026-03-01T09:00Z', 1_772_355_600_000],
    ['2026-03-01 09:00', 1_772_355_600_000],
    ['2026-03-01', 1_772_323_200_000],
    ['1772355600000', 1_772_355_600_000],
  ])('can be written as %s', (text, time) => {
    expect(momentOption('--from', text)).toBe(time)
  })

  it.each(['', 'yesterday', '2026-02-30', '09:00', '1e9'])('is refused as %j', (text) => {
    expect(() => momentOption('--from', text)).toThrow('--from takes a time')
  })
})

it('takes a speed of max, or any factor above nothing', () => {
  expect(speedOption('max')).toBeUndefined()
  expect(speedOption('0.5')).toBe(0.5)
  for (const text of ['', '0', '-1', 'fast', 'Infinity']) {
    expect(() => speedOption(text)).toThrow('--speed takes max')
  }
})

it('takes lengths of time and sizes as pipeline files have them', () => {
  expect(durationOption('--for', '10m')).toBe(600_000)
  expect(sizeOption('--max-size', '2MiB')).toBe(2_097_152)
  expect(durationOption('--for', undefined)).toBeUndefined()
  expect(() => durationOption('--for', '10')).toThrow('--for takes')
  expect(() => sizeOption('--max-size', '10')).toThrow('--max-size takes')
})
