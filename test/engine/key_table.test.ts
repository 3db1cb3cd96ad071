import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyTable } from '../../engine/key_table.ts'

interface Entry {
  key: string
  hash: number
}

const put = (table: KeyTable<Entry>, key: string): Entry => {
  const entry = { key, hash: table.hashOf(key) }
  table.add(entry)
  return entry
}

describe('a key table', () => {
  it('finds what a Map would, whatever comes and goes', () => {
    const keys = fc.oneof(fc.constantFrom('', 'a', 'b', 'ab', 'ba', '\u{1f980}'), fc.string())
    const step = fc.record({ key: keys, goes: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new KeyTable<Entry>()
        const map = new Map<string, Entry>()
        for (const { key, goes } of steps) {
          const there = table.find(key, table.hashOf(key))
          expect(there).toBe(map.get(key))
          if (there && goes) {
            table.delete(there)
            map.delete(key)
          } else if (!there) map.set(key, put(table, key))
        }
        expect(table.size).toBe(map.size)
        for (const [key, entry] of map) expect(table.find(key, table.hashOf(key))).toBe(entry)
      }),
    )
  })

  it('keeps apart keys that have the same hash', () => {
    const table = new KeyTable<Entry>()
    const entries = ['a', 'b', 'c', 'd'].map((key) => ({ key, hash: -1 }))
    for (const entry of entries) table.add(entry)
    table.delete(entries[1] as Entry)
    expect(entries.map(({ key }) => table.find(key, -1)?.key)).toEqual(['a', undefined, 'c', 'd'])
  })

  it('holds its size where a million keys come and go', () => {
    const table = new KeyTable<Entry>()
    const held: Entry[] = []
    for (let n = 0; n < 1_000_000; n++) {
      if (held.length === 1000) table.delete(held[n % 1000] as Entry)
      held[n % 1000] = put(table, `198.51.100.7 ${n}`)
    }
    expect(table.size).toBe(1000)
    expect(held.every((entry) => table.find(entry.key, entry.hash) === entry)).toBe(true)
  })

  it('spreads keys that differ in a digit, and no two tables alike', () => {
    const [one, other] = [new KeyTable<Entry>(), new KeyTable<Entry>()]
    const keys = Array.from({ length: 4096 }, (_, n) => `192.0.2.${n}`)
    const places = new Set(keys.map((key) => one.hashOf(key) & 0xffff))
    // 4096 keys thrown into 65,536 places at random: about 3970 differ.
    expect(places.size).toBeGreaterThan(3850)
    expect(keys.some((key) => one.hashOf(key) !== other.hashOf(key))).toBe(true)
  })
})
