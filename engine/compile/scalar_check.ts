/** Checks one scalar of a pipeline file against its shape, and decodes it. */
import { KIND } from '../fields.ts'
import { suggestion } from './near_miss.ts'
import { type Place, say } from './place.ts'
import { type Reading, shownScalar, spanOfScalar } from './reading.ts'
import { readKind } from './scalar_kind.ts'
import { choicesOf, describeShape, type Shape } from './shape.ts'
import type { Scalar } from './tree.ts'

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/

/** Variables are text, so where the shape wants something else they are read as YAML would have. */
function coerced(scalar: Scalar, type: string | undefined): Scalar['value'] {
  const { value } = scalar
  if (!scalar.interpolated || typeof value !== 'string') return value
  if ((type === 'integer' || type === 'number') && NUMBER.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

/** @returns the decoded value, or undefined where problems were reported */
export function readScalar(scalar: Scalar, shape: Shape, place: Place, reading: Reading): unknown {
  if (scalar.broken) return undefined
  const choices = choicesOf(shape)
  if (choices !== undefined) return readChoice(scalar, choices, place, reading)
  const value = coerced(scalar, shape.type)
  const { problems } = reading
  const span = spanOfScalar(scalar, place)
  if (!hasType(value, shape.type)) {
    const message = `${say(place)} must be ${describeShape(shape)}, not ${shownScalar(scalar)}`
    problems.error('TYPE', span, message, { help: typeHelp(value, shape) })
    return undefined
  }
  if (typeof value === 'string' && shape[KIND] !== undefined) {
    return readKind(value, scalar, shape, place, reading)
  }
  const misfit =
    typeof value === 'number'
      ? numberMisfit(value, shape)
      : typeof value === 'string'
        ? textMisfit(value, shape)
        : undefined
  if (misfit !== undefined) {
    const message = `${say(place)} ${misfit.wants}, not ${shownScalar(scalar)}`
    problems.error(misfit.code, span, message, { help: shape.description })
    return undefined
  }
  return shownOr(value, scalar, reading)
}

/** A secret must not leave in `show` mode, not even as the number it was read as. */
const shownOr = (value: Scalar['value'], scalar: Scalar, { decode }: Reading): unknown =>
  decode === 'show' && (scalar.secret || typeof value === 'string') ? scalar.shown : value

function readChoice(
  scalar: Scalar,
  choices: readonly unknown[],
  place: Place,
  reading: Reading,
): unknown {
  const found = choices.find((choice) => coerced(scalar, typeof choice) === choice)
  if (found !== undefined) return shownOr(found as Scalar['value'], scalar, reading)
  const names = choices.map(String)
  const meant = scalar.secret ? '' : suggestion(String(scalar.value), names)
  const one = names.length === 1 ? names[0] : `one of ${names.join(', ')}`
  const message = `${say(place)} must be ${one}, not ${shownScalar(scalar)}`
  const help = meant === '' ? undefined : meant.trim()
  reading.problems.error('ENUM', spanOfScalar(scalar, place), message, { help })
  return undefined
}

function hasType(value: Scalar['value'], type: string | undefined): boolean {
  if (type === undefined) return true
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

function typeHelp(value: Scalar['value'], shape: Shape): string | undefined {
  if (value === null)
    return `remove the key or give a value: ${shape.description ?? describeShape(shape)}`
  if (shape.type === 'string') return 'put "…" around it to make it text.'
  if (typeof value === 'string' && NUMBER.test(value)) return 'remove the quotes.'
  return shape.description
}

interface Misfit {
  readonly code: 'RANGE' | 'PATTERN'
  readonly wants: string
}

function numberMisfit(value: number, shape: Shape): Misfit | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = shape
  const fits =
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum)
  if (!fits) {
    const low = minimum === undefined ? over(exclusiveMinimum) : `at least ${minimum}`
    const high = maximum === undefined ? under(exclusiveMaximum) : `at most ${maximum}`
    const wants = [low, high].filter((bound) => bound !== undefined).join(' and ')
    return { code: 'RANGE', wants: `must be ${wants}` }
  }
  if (multipleOf === undefined || Number.isInteger(value / multipleOf)) return undefined
  return { code: 'RANGE', wants: `must be a multiple of ${multipleOf}` }
}

const over = (bound: number | undefined) => (bound === undefined ? undefined : `over ${bound}`)
const under = (bound: number | undefined) => (bound === undefined ? undefined : `under ${bound}`)

function textMisfit(value: string, shape: Shape): Misfit | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern } = shape
  // JSON Schema counts code points; UTF-16 units are never fewer.
  const length = value.length < minLength ? value.length : [...value].length
  if (length < minLength) {
    const wants =
      minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters`
    return { code: 'RANGE', wants }
  }
  if (length > maxLength) {
    return { code: 'RANGE', wants: `must have at most ${maxLength} characters` }
  }
  if (pattern === undefined || new RegExp(pattern, 'u').test(value)) return undefined
  return { code: 'PATTERN', wants: `must have the form ${pattern}` }
}
