import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CanonicalJsonError, canonicalJson } from '../../protocols/canonical_json.ts'

const double = (hex: string) => Buffer.from(hex, 'hex').readDoubleBE()

describe('canonical JSON', () => {
  // RFC 8785 appendix B
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (hex, text) => {
    expect(canonicalJson(double(hex))).toBe(text)
    expect(canonicalJson({ n: [double(hex)] })).toBe(`{"n":[${text}]}`)
  })

  it('writes the example of RFC 8785 section 3.2.2', () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/",' +
        '"literals":[null,true,false]}',
    )
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('sorts by UTF-16 code units, as RFC 8785 section 3.2.3 shows', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    }
    expect(Object.values(JSON.parse(canonicalJson(value)))).toHaveLength(7)
    const order = ['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
    const places = order.map((key) => canonicalJson(value).indexOf(`"${key}":`))
    expect(places).not.toContain(-1)
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  it('sorts numeric keys as text, which a plain object would not', () => {
    expect(canonicalJson({ b: { 9: 1, 10: 2, 1: 3 }, a: 0 })).toBe(
      '{"a":0,"b":{"1":3,"10":2,"9":1}}',
    )
  })

  it('keeps a member called __proto__', () => {
    const text = '{"__proto__":{"a":1},"z":0}'
    expect(canonicalJson(JSON.parse(text))).toBe(text)
  })

  it('escapes a lone surrogate, in values and in keys', () => {
    expect(canonicalJson({ '\ud800': '\udfff' })).toBe('{"\\ud800":"\\udfff"}')
  })

  it('turns what JSON has no number for into null', () => {
    expect(
      canonicalJson([Number.NaN, Number.POSITIVE_INFINITY, { x: Number.NEGATIVE_INFINITY }]),
    ).toBe('[null,null,{"x":null}]')
    expect(canonicalJson(Number.NaN)).toBe('null')
  })

  it('leaves out undefined members and keeps the places of undefined items', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}')
    expect(canonicalJson({ 1: undefined, 0: [undefined] })).toBe('{"0":[null]}')
    expect(canonicalJson(undefined)).toBe('null')
  })

  it('writes 256 levels and refuses one more', () => {
    const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    expect(canonicalJson(nested(256))).toHaveLength(512)
    expect(() => canonicalJson(nested(257))).toThrow(CanonicalJsonError)
    // a numeric key takes the other way through the module
    expect(canonicalJson({ 1: nested(255) })).toHaveLength(516)
    expect(() => canonicalJson({ 1: nested(256) })).toThrow(/deeper than 256/)
    expect(() => canonicalJson(nested(100_000))).toThrow(CanonicalJsonError)
  })

  it('says the same as JSON.parse reads back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('does not depend on the order of keys, at any level', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed)
      if (typeof value !== 'object' || value === null) return value
      const entries = Object.entries(value).reverse()
      return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)]))
    }
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value))
      }),
    )
  })

  it('has its keys in order, many of them too', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 60 }),
        (keys) => {
          const value = Object.fromEntries(keys.map((key) => [key, 0]))
          const expected = [...keys].sort().map((key) => `${JSON.stringify(key)}:0`)
          expect(canonicalJson(value)).toBe(`{${expected.join(',')}}`)
        },
      ),
    )
  })
})
