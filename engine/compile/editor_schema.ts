/** Config shapes as JSON Schema (draft-07) that an editor can use. */
import { REFERENCE_PATTERN } from './interpolate.ts'
import { asShape, choicesOf, type Shape } from './shape.ts'

/** A JSON Schema, as plain JSON. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Whether `${…}` may stand for a scalar: everywhere but in test data. */
export type References = 'allowed' | 'literal'

const REFERENCE: JsonSchema = { type: 'string', pattern: REFERENCE_PATTERN }

/** Objects come out closed, our own keywords are gone, and what has a default may be left out. */
export function editorSchema(schema: Shape, references: References): JsonSchema {
  const shape = asShape(schema)
  const { title, description, default: fallback, examples } = shape
  const about = defined({ title, description, default: fallback, examples })
  const inner = bare(shape, references)
  return {
    ...(needsReference(shape, references) ? { anyOf: [inner, REFERENCE] } : inner),
    ...about,
  }
}

/** Text without a form of its own already allows `${…}`. */
function needsReference(shape: Shape, references: References): boolean {
  if (references === 'literal') return false
  if (choicesOf(shape) !== undefined) return true
  if (shape.type === 'string') return shape.pattern !== undefined || shape.maxLength !== undefined
  return shape.type === 'integer' || shape.type === 'number' || shape.type === 'boolean'
}

function bare(shape: Shape, references: References): JsonSchema {
  const choices = choicesOf(shape)
  if (choices !== undefined) return { enum: choices }
  const variants = shape.anyOf ?? shape.oneOf
  if (variants !== undefined) return { anyOf: variants.map((one) => editorSchema(one, references)) }
  if (shape.type === 'object') return objectSchema(shape, references)
  const { type, minItems, maxItems, uniqueItems, pattern, minLength, maxLength } = shape
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = shape
  const items = shape.items === undefined ? undefined : itemsSchema(shape.items, references)
  const additionalItems = Array.isArray(shape.items) ? false : undefined
  const text = { pattern, minLength, maxLength }
  const number = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }
  return defined({
    type,
    items,
    additionalItems,
    minItems,
    maxItems,
    uniqueItems,
    ...text,
    ...number,
  })
}

function itemsSchema(items: Shape | readonly Shape[], references: References): unknown {
  return isTuple(items)
    ? items.map((item) => editorSchema(item, references))
    : editorSchema(items, references)
}

const isTuple = (items: Shape | readonly Shape[]): items is readonly Shape[] => Array.isArray(items)

function objectSchema(shape: Shape, references: References): JsonSchema {
  const { properties = {}, patternProperties = {}, minProperties, maxProperties } = shape
  const required = (shape.required ?? []).filter((key) => properties[key]?.default === undefined)
  const each = (shapes: Readonly<Record<string, Shape>>) =>
    Object.fromEntries(
      Object.entries(shapes).map(([key, inner]) => [key, editorSchema(inner, references)]),
    )
  const extra = shape.additionalProperties
  return defined({
    type: 'object',
    properties: nonEmpty(each(properties)),
    patternProperties: nonEmpty(each(patternProperties)),
    required: required.length > 0 ? required : undefined,
    additionalProperties: typeof extra === 'object' ? editorSchema(extra, references) : false,
    minProperties,
    maxProperties,
  })
}

const nonEmpty = (schemas: JsonSchema) => (Object.keys(schemas).length > 0 ? schemas : undefined)

const defined = (schema: JsonSchema): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined))
