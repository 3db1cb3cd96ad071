import { describe, expect, it } from 'vitest'
import { mayResume } from '../../../engine/compile/promises.ts'
import { codes, pipeline, planOf } from './compiled.ts'

const promises = (text: string) =>
  planOf(text).promises.map(({ source, sink, promise }) => `${source} ${sink} ${promise}`)

describe('what a way from a source to a sink guarantees', () => {
  it('is what the sink makes of a repeat, as long as the source can be read again', () => {
    const text = pipeline(
      'sources:\n  file: { type: tail, path: a }\n  udp: { type: wire, listen: a }\n' +
        'sinks:\n  table: { type: rows, inputs: [file, udp] }\n  screen: { type: print, inputs: [file] }\n  bus: { type: shout, inputs: [file] }\n',
    )
    expect(promises(text)).toEqual([
      'file table exactly_once',
      'file screen at_least_once',
      'file bus at_most_once',
      'udp table at_most_once',
    ])
    expect(codes(text)).toEqual(['not_replayable 5:3'])
  })

  it('is as good from a journal as from a file', () => {
    const text = pipeline(
      'sources:\n  udp: { type: wire, listen: a, journal: true }\n' +
        'sinks:\n  table: { type: rows, inputs: [udp] }\n  screen: { type: print, inputs: [udp] }\n',
    )
    expect(promises(text)).toEqual(['udp table exactly_once', 'udp screen at_least_once'])
    expect(planOf(text).promises[0]?.why).toContain('is read again from the journal after a crash')
    expect(codes(text)).toEqual([])
    expect(codes(text.replace('journal: true', 'journal: false'))).toEqual(['not_replayable 4:3'])
  })

  it('depends on the config where replay does', () => {
    const text = pipeline(
      'sources:\n  file: { type: tail, path: a, follow: false }\nsinks:\n  table: { type: rows, inputs: [file] }\n',
    )
    expect(promises(text)).toEqual(['file table at_most_once'])
    expect(codes(text)).toEqual(['not_replayable 4:3'])
  })

  it('is the worst of all ways there are, error ports among them', () => {
    const text = pipeline(
      'sources:\n  file: { type: tail, path: a }\n' +
        'operators:\n  a: { type: pass, inputs: [file] }\n  b: { type: pass, inputs: [{ from: file, policy: drop_oldest }] }\n' +
        '  c: { type: pass, inputs: [b.errors, b] }\n' +
        'sinks:\n  safe: { type: rows, inputs: [a] }\n  lossy: { type: rows, inputs: [a, c] }\n',
    )
    const plan = planOf(text)
    expect(plan.promises).toMatchObject([
      { sink: 'safe', promise: 'exactly_once' },
      {
        sink: 'lossy',
        promise: 'at_most_once',
        why: expect.stringContaining('file -> b drops the oldest'),
      },
    ])
  })

  it('is once for a sink that can be cut back, where all that reaches it can be read again', () => {
    const text = pipeline(
      'sources:\n  file: { type: tail, path: a }\n  udp: { type: wire, listen: a }\n' +
        'operators:\n  lossy: { type: pass, inputs: [{ from: file, policy: drop_oldest }] }\n' +
        'sinks:\n  alone: { type: tape, inputs: [file] }\n  mixed: { type: tape, inputs: [file, udp] }\n' +
        '  dropped: { type: tape, inputs: [lossy] }\n',
    )
    expect(promises(text)).toEqual([
      'file alone exactly_once',
      'file mixed at_least_once',
      'file dropped at_most_once',
      'udp mixed at_most_once',
    ])
    const plan = planOf(text)
    expect(['alone', 'mixed', 'dropped', 'file'].filter((id) => mayResume(plan, id))).toEqual([
      'alone',
    ])
  })

  it('is not given for a sink the source does not reach', () => {
    const text = pipeline(
      'sources:\n  one: { type: tail, path: a }\n  two: { type: tail, path: b }\n' +
        'sinks:\n  table: { type: rows, inputs: [one] }\n  screen: { type: print, inputs: [two] }\n',
    )
    expect(promises(text)).toEqual(['one table exactly_once', 'two screen at_least_once'])
  })
})
