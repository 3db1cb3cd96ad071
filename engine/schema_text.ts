/** Says in words what a TypeBox schema asks for: the tables of the component reference. */
import { type FieldKind, KIND } from './fields.ts'

/** One field of a config, an input or a state. */
export interface FieldRow {
  /** Path from the top: `tls.cert`, `routes.NAME`, `listen[].port`. */
  readonly name: string
  /** `integer, 1 to 65536`, `duration`, `list of text`, `tcp | udp` … */
  readonly type: string
  readonly required: boolean
  /** JSON, or undefined where there is none. */
  readonly default: string | undefined
  readonly description: string
}

/** The part of JSON Schema that TypeBox schemas here are made of. */
interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema | readonly Schema[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly [KIND]?: FieldKind
  readonly 'x-decnet-result'?: 'bool' | 'any'
}

// Our own schemas nest twice at most; the bound is there for one that refers to itself.
const MAX_DEPTH = 4

/** @param schema an object schema @returns its fields in the order they are declared */
export function fieldRows(schema: object): FieldRow[] {
  return rowsOf(schema as Schema, '', 0)
}

function rowsOf(schema: Schema, prefix: string, depth: number): FieldRow[] {
  if (depth === MAX_DEPTH) return []
  const rows: FieldRow[] = []
  for (const [key, field] of Object.entries(schema.properties ?? {})) {
    const name = `${prefix}${key}`
    rows.push({
      name,
      type: typeText(field),
      required: field.default === undefined && (schema.required ?? []).includes(key),
      default: field.default === undefined ? undefined : JSON.stringify(field.default),
      description: field.description ?? '',
    })
    for (const [suffix, inner] of insideOf(field)) {
      rows.push(...rowsOf(inner, `${name}${suffix}.`, depth + 1))
    }
  }
  return rows
}

/** The object schemas inside a field, by what leads to them from the field's name. */
function insideOf(field: Schema): [string, Schema][] {
  if (field.properties) return [['', field]]
  if (field.anyOf) return field.anyOf.flatMap(insideOf)
  const [value] = Object.values(field.patternProperties ?? {})
  if (value) return insideOf(value).map(([suffix, inner]) => [`.NAME${suffix}`, inner])
  const items = itemsOf(field)
  if (items) return insideOf(items).map(([suffix, inner]) => [`[]${suffix}`, inner])
  return []
}

const itemsOf = ({ items }: Schema): Schema | undefined =>
  Array.isArray(items) ? undefined : (items as Schema | undefined)

const KIND_TEXT: Record<Exclude<FieldKind, 'cel'>, string> = { duration: 'duration', size: 'size' }

/** @returns the type in a few words, for a table */
function typeText(schema: Schema): string {
  const kind = schema[KIND]
  if (kind === 'cel') {
    return schema['x-decnet-result'] === 'bool' ? 'CEL, true or false' : 'CEL, any value'
  }
  if (kind) return KIND_TEXT[kind]
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(typeText).join(' | ')
  if (schema.type === 'array') {
    const items = itemsOf(schema)
    return items ? `list of ${typeText(items)}` : 'list'
  }
  if (schema.type === 'object') {
    const [value] = Object.values(schema.patternProperties ?? {})
    return value ? `map of ${typeText(value)}` : 'object'
  }
  if (schema.type === 'string') return schema.pattern ? `text like ${schema.pattern}` : 'text'
  if (schema.type === undefined) return 'any'
  return `${schema.type}${rangeText(schema)}`
}

function rangeText({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined) return `, ${minimum} or more`
  if (maximum !== undefined) return `, ${maximum} or less`
  return ''
}
