import { Ajv } from 'ajv'
import fc from 'fast-check'
import { type TSchema, Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { readValue } from '../../../engine/compile/config_check.ts'
import { editorSchema } from '../../../engine/compile/editor_schema.ts'
import { asShape } from '../../../engine/compile/shape.ts'
import { Problems } from '../../../engine/compile/source_text.ts'
import { treeOf } from '../../../engine/compile/tree.ts'
import { compileKeyedNode, compileNode } from '../../../engine/compile.ts'
import { defineOperator } from '../../../engine/define.ts'
import { cel, duration, size } from '../../../engine/fields.ts'
import { count, pass, split, tail, wire } from '../../fixtures/components.ts'

const with_ = (fields: Record<string, TSchema>) =>
  defineOperator({
    type: 'trial',
    summary: '',
    promise: '',
    examples: [],
    config: Type.Object(fields),
    each: () => () => undefined,
  })

const problemOf = (fields: Record<string, TSchema>, config: unknown): string => {
  try {
    compileNode(with_(fields), config)
  } catch (error) {
    return (error as Error).message
  }
  return 'none'
}

describe('the config of a node', () => {
  it('gets durations in ms, sizes in bytes and defaults', () => {
    expect(compileNode(tail, { path: 'a', poll: '1.5s' })).toEqual({
      path: 'a',
      poll: 1500,
      max_line: 65_536,
      follow: true,
    })
  })

  it('gets conditions ready to use, wherever they stand', () => {
    const trial = with_({
      one: cel({ result: 'any', description: '' }),
      many: Type.Record(Type.String(), Type.Array(cel({ result: 'bool', description: '' }))),
    })
    const { one, many } = compileNode(trial, {
      one: 'data.n + 1',
      many: { a: ['time > 5.0'] },
    }) as {
      one: { evaluate(event: object): unknown }
      many: { a: { evaluate(event: object): unknown }[] }
    }
    const event = { id: '', topic: '', time: 6, data: { n: 2 } }
    expect(one.evaluate(event)).toBe(3)
    expect(many.a[0]?.evaluate(event)).toBe(true)
  })

  it('fills defaults in at every depth, decoded like anything else', () => {
    const inner = Type.Object(
      {
        wait: duration({ default: '1m', description: '' }),
        limit: size({ default: '1KiB', description: '' }),
      },
      { default: {} },
    )
    const list = Type.Array(inner, { default: [{}, { wait: '1h' }] })
    expect(compileNode(with_({ inner, list }), {})).toEqual({
      inner: { wait: 60_000, limit: 1024 },
      list: [
        { wait: 60_000, limit: 1024 },
        { wait: 3_600_000, limit: 1024 },
      ],
    })
  })

  it('leaves out what is optional and not given', () => {
    expect(compileNode(wire, { listen: ['a', 'b'] })).toEqual({ listen: ['a', 'b'] })
  })

  it('keeps the engine apart: bounds of keyed state are beside it', () => {
    expect(compileKeyedNode(count, { window: '1m', max_keys: 5, ttl: '1h' })).toEqual({
      config: { window: 60_000 },
      keyed: { maxKeys: 5, ttl: 3_600_000 },
    })
    expect(compileKeyedNode(count, { window: '1m' }).keyed).toEqual({
      maxKeys: 65_536,
      ttl: undefined,
    })
    expect(compileKeyedNode(pass, {}).keyed).toBeUndefined()
  })

  it('is refused with everything that is wrong at once', () => {
    const compile = () => compileNode(tail, { pth: 'a', poll: 5, follow: 'yes' })
    expect(compile).toThrow(expect.objectContaining({ code: 'CONFIG' }))
    expect(compile).toThrow(/no key "pth".*"poll".*"follow".*needs the key "path"/)
  })

  it.each([[5], ['text'], [[1]], [true]])(
    'is refused where it is %j instead of a mapping',
    (raw) => {
      expect(() => compileNode(tail, raw)).toThrow(/must be a mapping/)
    },
  )

  it('takes keys that objects have by nature for what they are: unknown', () => {
    const raw = JSON.parse('{"path": "a", "__proto__": 1, "constructor": 2, "toString": 3}')
    expect(() => compileNode(tail, raw)).toThrow(/"__proto__".*"constructor".*"toString"/)
  })

  it('may hold such keys where it takes any', () => {
    const raw = JSON.parse('{"any": {"__proto__": "1", "constructor": "2"}}')
    const { any } = compileNode(with_({ any: Type.Record(Type.String(), Type.String()) }), raw)
    expect(JSON.stringify(any)).toBe('{"__proto__":"1","constructor":"2"}')
  })

  it.each([
    [`${'9'.repeat(400)}d`, 'DURATION'],
    ['-5s', 'DURATION'],
    ['5', 'DURATION'],
    ['', 'DURATION'],
  ])('refuses %.10s as a duration', (wait, code) => {
    expect(problemOf({ wait: duration({ description: '' }) }, { wait })).toMatch(code)
  })

  it.each([
    [Type.Integer({ exclusiveMinimum: 0 }), 0, 'RANGE: .* over 0'],
    [Type.Number({ exclusiveMaximum: 1, minimum: 0 }), 1, 'at least 0 and under 1'],
    [Type.Integer({ multipleOf: 5 }), 7, 'a multiple of 5'],
    [Type.String({ maxLength: 2 }), '👍👍👍', 'at most 2 characters'],
    [Type.String({ minLength: 3 }), '👍👍', 'at least 3 characters'],
    [Type.Array(Type.Integer(), { uniqueItems: true }), [1, 1], 'DUPLICATE_ITEM'],
    [Type.Tuple([Type.String(), Type.Integer()]), ['a', 1, 2], 'takes 2 items'],
    [Type.Tuple([Type.String(), Type.Integer()]), ['a'], 'at least 2 items'],
    [Type.Record(Type.String({ pattern: '^[a-z]$' }), Type.String()), { B: 'x' }, 'PATTERN'],
    [Type.Record(Type.String(), Type.String(), { minProperties: 1 }), {}, 'at least 1 keys'],
    [Type.Null(), 5, 'must be null'],
    [Type.Literal(5), 6, 'must be 5'],
  ])('tells what %j does not like about %j', (schema, value, message) => {
    expect(problemOf({ field: schema as TSchema }, { field: value })).toMatch(new RegExp(message))
  })

  it('judges a union by the variant that was meant', () => {
    const union = Type.Union([
      Type.String(),
      Type.Object({ kind: Type.Literal('a'), x: Type.Integer() }),
      Type.Object({ kind: Type.Literal('b'), y: Type.Integer() }),
    ])
    expect(problemOf({ union }, { union: { kind: 'b', y: 'five' } })).toMatch(/^TYPE: "union.y"/)
    expect(problemOf({ union }, { union: 5 })).toMatch(/must be text, or a mapping, not 5/)
    expect(problemOf({ union }, { union: [] })).toMatch(/must be text, or a mapping, not a list/)
    expect(problemOf({ union }, { union: { kind: 'a', x: 1 } })).toBe('none')
  })

  it('cannot be described by a keyword that is not enforced', () => {
    const schema = Type.String({ format: 'email' })
    expect(() => compileNode(with_({ schema }), { schema: 'a' })).toThrow(/keyword format/)
  })

  it.each(['type', 'inputs'])('cannot have a field of its own called %s', (key) => {
    expect(() => compileNode(with_({ [key]: Type.String() }), {})).toThrow(/engine's/)
  })

  it('may name the outputs of the node', () => {
    expect(compileNode(split, { ports: ['a'] })).toEqual({ ports: ['a'] })
  })
})

/** Schemas as components write them, and values that often fit them. */
const schemas: fc.Arbitrary<TSchema> = fc.letrec<{ schema: TSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<TSchema>(
      Type.String(),
      Type.String({ minLength: 2, maxLength: 3 }),
      Type.String({ pattern: '^a' }),
      Type.Integer({ minimum: 1, maximum: 3 }),
      Type.Number({ exclusiveMinimum: 0, multipleOf: 0.5 }),
      Type.Boolean(),
      Type.Null(),
      Type.Literal('a'),
      Type.Literal(2),
      Type.Enum(['a', 'b']),
      duration({ description: '' }),
      size({ description: '' }),
      Type.Unknown(),
    ),
    tie('schema').map((items) => Type.Array(items, { minItems: 1, maxItems: 2 })),
    tie('schema').map((item) => Type.Record(Type.String({ pattern: '^[ab]$' }), item)),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => Type.Union([one, other])),
    fc.tuple(tie('schema'), tie('schema')).map(([one, other]) => Type.Tuple([one, other])),
    fc
      .tuple(tie('schema'), tie('schema'))
      .map(([one, other]) => Type.Object({ a: one, b: Type.Optional(other) })),
  ),
})).schema

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>('', 'a', 'ab', 'b', '5s', '1KiB', 0, 1, 2, 1.5, -1, true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 2 }),
  ),
})).value

describe('the config reader', () => {
  it('agrees with a third-party validator on the schema editors get', () => {
    const ajv = new Ajv({ strict: false })
    let fitted = 0
    fc.assert(
      fc.property(schemas, values, (schema, value) => {
        const problems = new Problems('', '')
        const place = { owner: '', path: 'x', anchor: { start: 0, end: 0 } }
        readValue(treeOf(value), asShape(schema), place, { problems, decode: 'run' })
        const fits = ajv.validate({ ...editorSchema(asShape(schema), 'literal') }, value)
        expect(!problems.hasErrors).toBe(fits)
        if (fits) fitted += 1
      }),
      { numRuns: 2000 },
    )
    expect(fitted).toBeGreaterThan(80)
  })
})
