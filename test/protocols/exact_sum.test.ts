import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addExactly, exactSum } from '../../protocols/exact_sum.ts'

const sum = (numbers: readonly number[]) => {
  const partials: number[] = []
  for (const number of numbers) addExactly(partials, number)
  return exactSum(partials)
}

describe('an exact sum', () => {
  it.each([
    [[], 0],
    [Array.from({ length: 10 }, () => 0.1), 1],
    [[1e16, 1, -1e16], 1],
    [[1, 1e100, 1, -1e100], 2],
    [[2 ** 53, 1, 2 ** -60], 2 ** 53 + 2],
    [[2 ** 53, 1, -(2 ** -60)], 2 ** 53],
  ])('of %j is %d', (numbers, expected) => expect(sum(numbers)).toBe(expected))

  it('is the same in any order, and exact for whole numbers', () => {
    const numbers = fc.array(fc.double({ min: -1e200, max: 1e200, noNaN: true }), { maxLength: 30 })
    fc.assert(
      fc.property(numbers, (some) => {
        expect(sum([...some].reverse()) + 0).toBe(sum(some) + 0)
        expect(sum([...some].sort((a, b) => a - b)) + 0).toBe(sum(some) + 0)
      }),
    )
    fc.assert(
      fc.property(fc.array(fc.bigInt(-(2n ** 52n), 2n ** 52n), { maxLength: 200 }), (some) => {
        const exact = some.reduce((a, b) => a + b, 0n)
        expect(sum(some.map(Number))).toBe(Number(exact))
      }),
    )
  })
})
