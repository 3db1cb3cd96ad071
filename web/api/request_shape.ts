/** Whether requests have the shape their route declares, as JSON Schema. */
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { RequestShapeError } from './api_error.ts'

/** Words by which a page says that it filters by nothing. */
const ABSENT = new Set(['', 'null', 'NULL', 'undefined'])
const INTEGER = /^-?\d{1,15}$/

/**
 * Faults by which a body is no form of what is asked for; the others are forms with wrong values.
 * @see spec/api-and-sse.md section 2
 */
const FORM_FAULTS = new Set(['required', 'type', 'additionalProperties', 'minLength'])

interface ObjectSchema {
  /** of a body: a member that is null is as one that is not there */
  readonly nullIsAbsent?: boolean
  readonly properties?: Readonly<Record<string, { type?: unknown; default?: unknown }>>
}

export const requestShape: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema)
  const isBody = httpPart === 'body'
  return (data: unknown) => {
    const value = isBody ? withDefaults(schema, data) : fromText(schema, data)
    if (check.Check(value)) return { value }
    const faults = check.Errors(value)
    const isForm = isBody && faults.some(({ keyword }) => FORM_FAULTS.has(keyword))
    const shown = faults.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
    return { error: new RequestShapeError(isForm ? 400 : 422, shown) }
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function withDefaults(schema: ObjectSchema, data: unknown): unknown {
  // No body at all is one without members.
  const body = data === undefined || data === null ? {} : data
  if (!isObject(body)) return body
  const value: Record<string, unknown> = { ...body }
  for (const [name, { default: preset }] of Object.entries(schema.properties ?? {})) {
    if (schema.nullIsAbsent && value[name] === null) delete value[name]
    if (value[name] === undefined && preset !== undefined) value[name] = preset
  }
  return value
}

/** Of a query or a path all is text; what is not declared is left out. */
function fromText(schema: ObjectSchema, data: unknown): unknown {
  if (!isObject(data)) return data
  const value: Record<string, unknown> = {}
  for (const [name, { type, default: preset }] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(data, name) ? data[name] : undefined
    if (given === undefined) {
      if (preset !== undefined) value[name] = preset
    } else if (type === 'integer') {
      value[name] = typeof given === 'string' && INTEGER.test(given) ? Number(given) : given
    } else if (type !== 'string' || typeof given !== 'string' || !ABSENT.has(given)) {
      value[name] = given
    } else if (preset !== undefined) value[name] = preset
  }
  return value
}
