import { Type } from 'typebox'
import { expect, it } from 'vitest'
import {
  componentsOfType,
  defineSink,
  defineSource,
  findComponent,
  makeRegistry,
} from '../../engine/define.ts'

const described = { type: 'file', summary: '', promise: '', config: Type.Object({}), examples: [] }
const source = defineSource({
  ...described,
  replayable: true,
  async *read() {},
  fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
})
const sink = defineSink({
  ...described,
  effect: 'at_least_once',
  open: () => ({ write: async () => undefined }),
})

it('a source and a sink may have one type', () => {
  const registry = makeRegistry([sink, source])
  expect(findComponent(registry, 'sources', 'file')).toBe(source)
  expect(findComponent(registry, 'sinks', 'file')).toBe(sink)
  expect(findComponent(registry, 'operators', 'file')).toBeUndefined()
  expect(componentsOfType(registry, 'file')).toEqual([source, sink])
})

it('two components of one section may not', () => {
  expect(() => makeRegistry([sink, { ...sink }])).toThrow('sinks.file')
})

it('lists sections in the order of a file, and types by name, however they are given', () => {
  const other = { ...source, type: 'a' }
  const keys = [...makeRegistry([sink, source, other]).keys()]
  expect(keys).toEqual(['sources.a', 'sources.file', 'sinks.file'])
})
