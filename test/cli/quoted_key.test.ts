import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unquoted } from '../../cli/quoted_key.ts'
import { quote } from '../../protocols/quote.ts'

describe('a quoted key', () => {
  it('reads back as what it was, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1024 }), (key) => {
        expect(unquoted(quote(key, Number.POSITIVE_INFINITY))).toBe(key)
      }),
    )
  })

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['"', '"'],
    ['""', ''],
    ['"a\\tb\\u{1b}"', 'a\tb\u001b'],
    ['"\\u{ffffff}"', '\\u{ffffff}'],
    ['"unfinished', '"unfinished'],
  ])('%s stands for %j', (typed, key) => expect(unquoted(typed)).toBe(key))
})
