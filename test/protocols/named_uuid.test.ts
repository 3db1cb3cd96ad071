import fc from 'fast-check'
import { expect, it } from 'vitest'
import { attackerUuid, namedUuid } from '../../protocols/named_uuid.ts'

// RFC 9562 section 4: version 8, variant 10.
const V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

it('names everything by a UUID of version 8, the same each time', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (kind, parts) => {
      expect(namedUuid(kind, ...parts)).toMatch(V8)
      expect(namedUuid(kind, ...parts)).toBe(namedUuid(kind, ...parts))
    }),
  )
})

it('tells kinds and parts apart', () => {
  const names = [
    namedUuid('a', 'b', 'c'),
    namedUuid('a', 'bc'),
    namedUuid('ab', 'c'),
    namedUuid('a', 'b', 'c', ''),
  ]
  expect(new Set(names).size).toBe(names.length)
})

it('gives an attacker one name in every spelling of the address', () => {
  expect(attackerUuid('2001:db8:0:0::7')).toBe(attackerUuid('2001:DB8::7'))
  expect(attackerUuid('198.51.100.7')).not.toBe(attackerUuid('198.51.100.8'))
  expect(attackerUuid('Unknown')).toMatch(V8)
})
