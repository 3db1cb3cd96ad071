import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRequest } from '../../engine/control_protocol.ts'
import { EngineError } from '../../engine/errors.ts'

describe('a request to a running pipeline', () => {
  it.each([
    { op: 'stats' },
    { op: 'tap', port: 'a.errors', sample: [1, 10], where: 'true' },
    { op: 'replay_letters' },
    { op: 'replay_letters', ids: [1, 2], node: 'a', code: 'BAD' },
  ])('is understood: %j', (request) => {
    expect(parseRequest(JSON.stringify(request))).toEqual(request)
  })

  it.each([
    { op: 'tap', port: 'a' },
    { op: 'tap', port: 'a', sample: [0, 1] },
    { op: 'tap', port: 'a', sample: [1, 1, 1] },
    { op: 'tap', port: 'a', sample: [1, 1], where: 'x'.repeat(5000) },
    { op: 'replay_letters', ids: ['1'] },
    { op: 'replay_letters', ids: new Array(10_001).fill(1) },
    { op: 'stop' },
    [],
    null,
  ])('is refused: %j', (request) => {
    expect(() => parseRequest(JSON.stringify(request))).toThrow('none this pipeline knows')
  })

  it('is refused and nothing worse, whatever it is made of', () => {
    const member = fc.oneof(fc.constantFrom('stats', 'tap', 'replay_letters'), fc.jsonValue())
    const near = fc.record({ op: member, port: member, sample: member, ids: member })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          near.map((one) => JSON.stringify(one)),
        ),
        (text) => {
          try {
            expect(parseRequest(text)).toHaveProperty('op')
          } catch (error) {
            if (!(error instanceof EngineError)) throw error
            expect(error.code).toBe('CONTROL_REQUEST')
          }
        },
      ),
    )
  })
})
