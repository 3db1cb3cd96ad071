import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textFit } from '../../store/text_fit.ts'

it('leaves text that fits alone', () => {
  const text = textFit()
  expect(text.fit('rööt 🦑', 6)).toBe('rööt 🦑')
  expect(text.cut).toBe(0)
})

it('cuts between code points and counts each cut', () => {
  const text = textFit()
  expect(text.fit('🦑🦑🦑', 2)).toBe('🦑🦑')
  expect(text.fit('abc', 0)).toBe('')
  expect(text.cut).toBe(2)
})

it('replaces half a surrogate pair', () => {
  expect(textFit().fit('a\ud83e', 10)).toBe('a\ufffd')
  expect(textFit().fit('\udd91a', 10)).toBe('\ufffda')
})

it('gives the longest well-formed beginning of any text', () => {
  const unit = fc.oneof(fc.string(), fc.constantFrom('🦑', '\ud83e', '\udd91', 'é', '\0'))
  fc.assert(
    fc.property(fc.array(unit), fc.nat(20), (units, limit) => {
      const whole = units.join('').toWellFormed()
      const fitted = textFit().fit(units.join(''), limit)
      expect([...fitted]).toEqual([...whole].slice(0, limit))
    }),
  )
})
