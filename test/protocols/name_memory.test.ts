import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NameMemory } from '../../protocols/name_memory.ts'

const WORD = /[a-z]*/y

/** Offset after letters, four at most. */
function wordEnd(text: string, start: number): number {
  WORD.lastIndex = start
  return start + Math.min(WORD.exec(text)?.[0].length ?? 0, 4)
}

describe('NameMemory', () => {
  it('reads what a slice would, whatever it has read before', () => {
    const names = new NameMemory(wordEnd)
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
    const ending = fc.constantFrom('=', ' ', ']', '"', 'z', '')
    fc.assert(
      fc.property(fc.array(fc.tuple(word, ending)), (lines) => {
        let before = ''
        for (const [name, end] of lines) {
          const text = `<${name}${end}`
          const read = names.read(text, 1, before)
          expect(read).toBe(text.slice(1, wordEnd(text, 1)))
          before = read
        }
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['__proto__', 'constructor', '0'])('remembers a name like %s as any other', (name) => {
    const names = new NameMemory((text) => text.length - 1)
    const text = `${name}=`
    expect([names.read(text, 0, 'x'), names.read(text, 0, 'x')]).toEqual([name, name])
  })

  it('goes on where more names come than it remembers', () => {
    const names = new NameMemory((text) => text.length - 1)
    for (let index = 0; index < 10_000; index++) {
      expect(names.read(`n${index}=`, 0, `n${index - 1}`)).toBe(`n${index}`)
    }
  })
})
