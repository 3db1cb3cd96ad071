import { describe, expect, it } from 'vitest'
import { parseCapture } from '../../cli/capture.ts'
import type { Plan } from '../../engine/plan.ts'

const plan = (name: string, ...sources: string[]) =>
  ({ name, nodes: sources.map((id) => ({ id, section: 'sources' })) }) as unknown as Plan

const plans = [plan('ingest', 'lines'), plan('my-cowrie', 'lines', 'more')]
const parse = (text: string, ...files: string[]) =>
  parseCapture(text, plans, (file) => files.includes(file))

describe('--capture', () => {
  it('takes a file', () => expect(parse('a.log', 'a.log')).toEqual({ file: 'a.log' }))

  it('takes a file for a source', () =>
    expect(parse('more=a.log', 'a.log')).toEqual({ source: 'more', file: 'a.log' }))

  it('takes a file for a source of one pipeline', () =>
    expect(parse('my-cowrie.lines=a=b.log', 'a=b.log')).toEqual({
      pipeline: 'my-cowrie',
      source: 'lines',
      file: 'a=b.log',
    }))

  it('takes a file whose name only looks like that', () =>
    expect(parse('x=a.log', 'x=a.log')).toEqual({ file: 'x=a.log' }))

  it('says which sources there are when it means none of them', () => {
    expect(() => parse('line=a.log', 'a.log')).toThrow(
      'There is no source line; the sources are ingest.lines, my-cowrie.lines, my-cowrie.more.',
    )
    expect(() => parse('ingest.more=a.log', 'a.log')).toThrow('no source ingest.more')
  })

  it('says which file is missing', () => {
    expect(() => parse('a.log')).toThrow('There is no file a.log.')
    expect(() => parse('lines=b.log', 'lines=b.log')).toThrow('There is no file b.log.')
  })
})
