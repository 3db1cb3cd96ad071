/** The part of JSON Schema that config schemas may use; TypeBox builds it. */
import type { TSchema } from 'typebox'
import { type FieldKind, KIND } from '../fields.ts'

/** A schema as the config reader and the editor schema see it. */
/** Marks an object whose keys mean something by their order; all others are read in that of the schema. */
export const AS_WRITTEN = 'x-decnet-as-written'

export interface Shape {
  readonly [AS_WRITTEN]?: true
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: boolean | Shape
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: Shape | readonly Shape[]
  readonly additionalItems?: boolean
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly [KIND]?: FieldKind
  readonly 'x-decnet-result'?: 'bool' | 'any'
}

const KEYWORDS = new Set(
  `type title description default examples const enum anyOf oneOf properties required
  patternProperties additionalProperties minProperties maxProperties items additionalItems minItems
  maxItems uniqueItems pattern minLength maxLength minimum maximum exclusiveMinimum
  exclusiveMaximum multipleOf`.split(/\s+/),
)

const checked = new WeakSet<object>()

/**
 * @throws {Error} on a keyword the config reader does not enforce: silence would accept what the
 *   component's author believes refused
 */
export function asShape(schema: TSchema | Shape): Shape {
  if (checked.has(schema)) return schema as Shape
  for (const keyword of Object.keys(schema)) {
    if (!KEYWORDS.has(keyword) && !keyword.startsWith('x-')) {
      throw new Error(`config schemas may not use the keyword ${keyword}`)
    }
  }
  checked.add(schema)
  return schema as Shape
}

/** The values a shape allows, where it allows a fixed few: an enum, a constant, or a union of them. */
export function choicesOf(shape: Shape): readonly unknown[] | undefined {
  if (shape.enum !== undefined) return shape.enum
  if ('const' in shape) return [shape.const]
  const parts = (shape.anyOf ?? shape.oneOf)?.map((part) => choicesOf(asShape(part)))
  if (parts === undefined || parts.some((part) => part === undefined)) return undefined
  return [...new Set(parts.flatMap((part) => part ?? []))]
}

/** `listen`, `max_line` …: the keys of an object shape. */
export const keysOf = (shape: Shape): readonly string[] => Object.keys(shape.properties ?? {})

/** What the shape takes, in a few words for a message. */
export function describeShape(shape: Shape): string {
  const choices = choicesOf(shape)
  if (choices !== undefined) return `one of ${choices.map(String).join(', ')}`
  const parts = shape.anyOf ?? shape.oneOf
  if (parts !== undefined) return [...new Set(parts.map(describeShape))].join(', or ')
  const kind = shape[KIND]
  if (kind !== undefined) return KIND_WORDS[kind]
  return TYPE_WORDS[shape.type ?? ''] ?? 'a value'
}

const KIND_WORDS: Record<FieldKind, string> = {
  duration: 'a duration such as 300s',
  size: 'a size such as 64MiB',
  cel: 'a CEL expression',
}

const TYPE_WORDS: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'a mapping',
}
