/** CEL expressions over an event, checked when the pipeline is read. */
import { Environment, Optional, type ParseError } from '@marcbachmann/cel-js'
import { quote } from '../protocols/quote.ts'
import { inAuthorsWords, leadPastRegExp, registerMatches } from './cel_matches.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'

/** Evaluates over `id`, `topic`, `time` (ms) and `data`; throws on a missing key or a type error. */
export interface Expression {
  readonly text: string
  evaluate(event: Event): unknown
}

/** Where in the expression something is wrong: `start` and `end` are offsets into its text. */
export class CelError extends EngineError {
  override name = 'CelError'
  readonly start: number
  readonly end: number
  constructor(message: string, start: number, end: number) {
    super('CEL', message)
    this.start = start
    this.end = end
  }
}

// JSON numbers are CEL doubles, literals without a point are ints, and CEL has no mixed
// arithmetic; without these `data.attempts + 1` would never work on JSON.
const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

function makeEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
  })
    .registerVariable('id', 'string')
    .registerVariable('topic', 'string')
    .registerVariable('time', 'double')
    .registerVariable('data', 'map<string, dyn>')
  for (const [sign, apply] of Object.entries(arithmetic)) {
    environment.registerOperator(`double ${sign} int`, (a: number, b: bigint) =>
      apply(a, Number(b)),
    )
    environment.registerOperator(`int ${sign} double`, (a: bigint, b: number) =>
      apply(Number(a), b),
    )
  }
  environment.registerOperator('double % double', (a: number, b: number) => a % b)
  registerMatches(environment)
  return environment
}

let shared: Environment | undefined

/**
 * Parses and type-checks one expression.
 * @param result `bool` refuses an expression that can be seen never to be one
 * @throws {CelError} with the offsets of what is wrong
 */
export function compileCel(text: string, result: 'bool' | 'any'): Expression {
  shared ??= makeEnvironment()
  let parsed: ReturnType<Environment['parse']>
  try {
    parsed = shared.parse(text)
  } catch (error) {
    throw asCelError(error, text)
  }
  leadPastRegExp(parsed.ast, ({ start, end }, { message }) => {
    throw new CelError(message, start, end)
  })
  const check = parsed.check()
  if (!check.valid) throw asCelError(check.error, text)
  if (result === 'bool' && check.type !== 'bool' && check.type !== 'dyn') {
    throw new CelError(`gives ${check.type}, not true or false`, 0, text.length)
  }
  const member = /^data\.([A-Za-z_]\w*)$/.exec(text.trim())?.[1]
  return {
    text,
    evaluate(event) {
      // Most keys are one text or number of the data, and need no evaluation to be read.
      if (member !== undefined && Object.hasOwn(event.data, member)) {
        const value = event.data[member]
        if (typeof value === 'string' || Number.isFinite(value)) return value
      }
      try {
        return toJson(parsed(event))
      } catch (error) {
        throw asEngineError(error)
      }
    },
  }
}

/** What cel-js says may hold a key from the data and spans lines: quoted, and its gist only. */
function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const { summary, message } = error as ParseError
  const said = inAuthorsWords(summary ?? message)
  return new EngineError('CEL_EVALUATION', quote(said, 200), { cause: error })
}

function asCelError(error: unknown, text: string): CelError {
  const { summary, range, message } = error as ParseError
  return new CelError(
    inAuthorsWords(summary ?? message),
    range?.start ?? 0,
    range?.end ?? text.length,
  )
}

/**
 * CEL ints are bigints; events hold JSON. Past 2^53 an int is kept exactly, as text. An optional
 * without a value is null.
 * @throws {EngineError} `CEL_TYPE` on a number JSON does not have
 */
function toJson(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new EngineError('CEL_TYPE', `gives ${value}, which JSON cannot hold`)
  }
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Optional) return value.hasValue() ? toJson(value.value()) : null
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]))
  }
  if (value !== null && typeof value === 'object') {
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
    }
    if (value instanceof Date) return value.toISOString()
    return String(value)
  }
  return value
}
