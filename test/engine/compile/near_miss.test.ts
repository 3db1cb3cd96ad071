import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearMiss, suggestion } from '../../../engine/compile/near_miss.ts'

describe('a near miss', () => {
  it.each([
    ['treshold', 'threshold'],
    ['prased', 'parsed'],
    ['Where', 'where'],
    ['typ', 'type'],
    ['inptus', 'inputs'],
    ['max_kyes', 'max_keys'],
  ])('of %s is %s', (word, meant) => {
    expect(
      nearMiss(word, ['path', 'threshold', 'parsed', 'where', 'type', 'inputs', 'max_keys']),
    ).toBe(meant)
  })

  it.each(['elasticsearch', '', 'xy', 'a'.repeat(100_000)])('is not seen in %.20s', (word) => {
    expect(nearMiss(word, ['threshold', 'parsed'])).toBeUndefined()
    expect(suggestion(word, ['threshold', 'parsed'])).toBe('')
  })

  it('is the nearest of several, and of equally near ones the first', () => {
    expect(nearMiss('logs', ['log', 'dogs', 'logs2', 'logs'])).toBe('logs')
    expect(nearMiss('rowz', ['rows', 'rowy'])).toBe('rows')
  })
})

describe('the distance of two words', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['ab', 'ba', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('of %s and %s', (one, other, edits) => expect(editDistance(one, other)).toBe(edits))

  it('is the same both ways, at most the longer word, and 0 for equal words only', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (one, other) => {
        const edits = editDistance(one, other)
        expect(edits).toBe(editDistance(other, one))
        expect(edits).toBeLessThanOrEqual(Math.max(one.length, other.length))
        expect(edits === 0).toBe(one === other)
      }),
    )
  })
})
