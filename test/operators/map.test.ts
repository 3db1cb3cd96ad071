import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { map } from '../../operators/map.ts'

const one = (config: Record<string, unknown>, data: Record<string, unknown>) => {
  const run = harness(map, config)
  const [out] = run.send({ id: 'a'.repeat(32), topic: 't.x', time: 7, data })
  return { out, errors: run.errors }
}

describe('map', () => {
  it('sets fields from the event as it came, whatever else it sets', () => {
    const { out } = one(
      { set: { a: 'data.b', b: 'data.a', c: 'topic + id', t: 'time' } },
      { a: 1, b: 'x' },
    )
    expect(out?.data).toEqual({ a: 'x', b: 1, c: `t.x${'a'.repeat(32)}`, t: 7 })
  })

  it('keeps id and time, and the topic unless it is given another', () => {
    expect(one({}, { a: 1 }).out).toEqual({
      id: 'a'.repeat(32),
      topic: 't.x',
      time: 7,
      data: { a: 1 },
    })
    expect(one({ topic: 'new.topic' }, {}).out).toMatchObject({ topic: 'new.topic', time: 7 })
  })

  it('reaches into objects and makes those that are missing', () => {
    const { out } = one(
      {
        set: { 'fields.user': '"root"', 'x.y.z': '1' },
        remove: ['fields.old', 'fields.none.at.all'],
      },
      { fields: { old: 1, kept: 2 } },
    )
    expect(out?.data).toEqual({ fields: { kept: 2, user: 'root' }, x: { y: { z: 1 } } })
  })

  it('removes first, so that a field can be renamed or replaced', () => {
    expect(one({ set: { b: 'data.a' }, remove: ['a'] }, { a: { x: 1 } }).out?.data).toEqual({
      b: { x: 1 },
    })
    expect(one({ set: { a: 'data.a' }, remove: ['a'] }, { a: 1 }).out?.data).toEqual({ a: 1 })
  })

  it('does not change the event other branches see', () => {
    const data = { fields: { a: 1 }, b: 2 }
    one({ set: { 'fields.a': '9' }, remove: ['b'] }, data)
    expect(data).toEqual({ fields: { a: 1 }, b: 2 })
  })

  it.each([
    ['a value where an object should be', { 'a.b': '1' }, { a: 'text' }, 'MAP_PATH'],
    ['a list where an object should be', { 'a.b': '1' }, { a: [] }, 'MAP_PATH'],
    ['an absent key', { a: 'data.absent' }, {}, 'CEL_EVALUATION'],
    ['a number JSON does not have', { a: 'data.x / 0' }, { x: 1.5 }, 'CEL_TYPE'],
  ])('sends the event to the error port for %s', (_, set, data, code) => {
    const { out, errors } = one({ set }, data)
    expect(out).toBeUndefined()
    expect(errors).toMatchObject([{ data: { code } }])
  })

  it.each(['__proto__', 'a.__proto__.b', 'data.x', 'a..b', '', '.a', 'a b', 'a.b.c.d.e.f.g.h.i'])(
    'refuses the path %j',
    (path) => {
      const refused = expect.objectContaining({ code: 'CONFIG' })
      expect(() => harness(map, { set: { [path]: '1' } })).toThrow(refused)
      expect(() => harness(map, { remove: [path] })).toThrow(refused)
    },
  )

  it.each(['', 'a.', 'a.*', 'a b'])('refuses the topic %j', (topic) => {
    expect(() => harness(map, { topic })).toThrow(expect.objectContaining({ code: 'CONFIG' }))
  })

  it('takes an optional without a value for null, and one with a value for it', () => {
    const run = harness(map, { set: { a: 'data.?x', b: 'data.?y', c: '[data.?y]' } })
    expect(run.send({ data: { x: 'there' } })).toMatchObject([
      { data: { a: 'there', b: null, c: [null] } },
    ])
  })

  it('changes nothing but what it names, whatever the data', () => {
    const run = harness(map, { set: { 'new.x': '1' }, remove: ['old'] })
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue()), (values) => {
        const { new: _, ...data } = values
        const { old: __, ...rest } = data
        expect(run.send({ data })[0]?.data).toEqual({ ...rest, new: { x: 1 } })
      }),
    )
  })
})
