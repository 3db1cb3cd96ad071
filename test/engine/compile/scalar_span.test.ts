import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMap, isScalar, parseDocument } from 'yaml'
import { locate } from '../../../engine/compile/scalar_span.ts'
import { compiled, pipeline } from './compiled.ts'

/** The YAML scalar of `text`'s only key, and where it stands. */
function scalarIn(text: string): { value: string; span: { start: number; end: number } } {
  const { contents } = parseDocument(text)
  const node = isMap(contents) ? contents.items[0]?.value : undefined
  if (!isScalar(node) || !node.range) throw new Error('no scalar')
  return { value: String(node.value), span: { start: node.range[0], end: node.range[1] } }
}

const words = fc.array(fc.stringMatching(/^[a-z=&"'.[\]]{1,6}$/), { minLength: 2, maxLength: 8 })
const styles: Record<string, (words: string[]) => string> = {
  plain: (list) => `k: x${list.join(' ')}`.replace(/['"[\]&]/g, '_'),
  'single-quoted': (list) => `k: '${list.join(' ').replaceAll("'", "''")}'`,
  'double-quoted': (list) => `k: "${list.join(' ').replaceAll('"', '\\"')}"`,
  'plain over lines': (list) => `k: x${list.join('\n   ')}`.replace(/['"[\]&]/g, '_'),
  literal: (list) => `k: |\n  ${list.join('\n  ')}\n`,
  'literal, indented': (list) => `k: |-\n    ${list.join('\n      ')}\n`,
  folded: (list) => `k: >-\n  ${list.join('\n  ')}\n`,
  'folded with empty lines': (list) => `k: >\n  ${list.join('\n\n  ')}\n`,
}

describe('a place in a scalar', () => {
  it.each(Object.entries(styles))('that is %s is the same characters in the file', (_, write) => {
    fc.assert(
      fc.property(words, (list) => {
        const text = write(list)
        const { value, span } = scalarIn(text)
        for (const { index } of value.matchAll(/\S/g)) {
          const found = locate(text, span, value, index, index + 1)
          expect(text.slice(found.start, found.end)).toBe(value[index])
        }
      }),
    )
  })

  it('goes from the first character to behind the last, over lines', () => {
    const text = 'k: >-\n  one\n  two three\n'
    const { value, span } = scalarIn(text)
    const found = locate(text, span, value, value.indexOf('one'), value.indexOf('two') + 3)
    expect(text.slice(found.start, found.end)).toBe('one\n  two')
  })

  it('is all of it where an escape hides the place', () => {
    const text = 'k: "a\\x41 b"'
    const { value, span } = scalarIn(text)
    expect(locate(text, span, value, 3, 4)).toEqual(span)
  })
})

describe('a CEL problem', () => {
  const place = (where: string, env: Record<string, string> = {}) => {
    const text = pipeline(
      `sources:\n  lines: { type: tail, path: a }\noperators:\n  op:\n    type: pass\n    inputs: [lines]\n    where: ${where}\n` +
        'sinks:\n  out: { type: print, inputs: [op] }\n',
    )
    const [problem] = compiled(text, { env }).problems
    const line = text.split('\n')[(problem?.line ?? 0) - 1] ?? ''
    return [problem?.code, line.slice((problem?.column ?? 0) - 1, (problem?.endColumn ?? 0) - 1)]
  }

  it.each([
    'id == nope',
    "'id == nope'",
    '"id == nope"',
    '|\n      id\n      == nope',
    '>-\n      id ==\n        nope\n      || true',
    '"topic == \\"a\\" && nope"',
    "'topic == ''a'' && nope'",
    '"id == nope || id == ${X:-5}"',
    '"id == \'${X:-5}\' || nope"',
    '"\'$${\' == id || nope"',
  ])('in %s is marked at the word itself', (where) => {
    expect(place(where)).toEqual(['CEL', 'nope'])
  })

  it('in a variable is marked at the reference', () => {
    expect(place('"id == ${X} || true"', { X: 'other' })).toEqual(['CEL', '${X}'])
  })
})
