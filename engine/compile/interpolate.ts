/** `${VAR}`, `${VAR:-default}` and `${secret:name}` inside scalars, after YAML has been parsed. */
import { quote } from '../../protocols/quote.ts'
import { nearMiss } from './near_miss.ts'
import { isSecretName, type SecretStore } from './secrets.ts'

/** Part of an interpolated value; `verbatim` ones stand character by character in the written one. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly writtenStart: number
  readonly writtenEnd: number
  readonly verbatim: boolean
}

/** Something wrong with one reference; the offsets count in the written value. */
export interface Fault {
  readonly code: 'UNSET_VARIABLE' | 'MISSING_SECRET' | 'BAD_INTERPOLATION' | 'TOO_LARGE'
  readonly start: number
  readonly end: number
  readonly message: string
  readonly help: string
}

export interface Interpolated {
  readonly value: string
  /** The same with secrets as `${secret:name}`, and `$${` where `${` is text: reads back alike. */
  readonly shown: string
  readonly references: number
  readonly secret: boolean
  readonly pieces: readonly Piece[]
  readonly faults: readonly Fault[]
}

/** What references are looked up in. `budget` bounds what a file can grow to, over all scalars. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly secrets: SecretStore
  readonly budget: { characters: number }
}

/** Characters that all values of a file may hold together once interpolated. */
export const INTERPOLATED_CHARACTERS = 4 * 2 ** 20

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

/**
 * Accepts every text with a live reference in it, and nothing else: what an editor has to allow in
 * place of a number or an enum. JSON Schema dialect, so no flags.
 */
export const REFERENCE_PATTERN = '(^|[^$])\\$\\{[^}]+\\}'

type Lookup = { value: string; secret?: boolean } | Pick<Fault, 'code' | 'message' | 'help'>

function lookUpSecret(name: string, secrets: SecretStore): Lookup {
  if (!isSecretName(name)) {
    return {
      code: 'BAD_INTERPOLATION',
      message: `${quote(name)} is no name of a secret`,
      help: `a secret is named by letters, digits, "_", "-" and ".", as in \${secret:api_key}.`,
    }
  }
  const found = secrets.read(name)
  if ('value' in found) return { value: found.value, secret: true }
  return {
    code: 'MISSING_SECRET',
    message: `no secret ${quote(name)}: ${found.reason}`,
    help: secrets.wayOut(name),
  }
}

function lookUp(body: string, { env, secrets }: Surroundings): Lookup {
  if (body.startsWith('secret:')) return lookUpSecret(body.slice('secret:'.length), secrets)
  const [, name, fallback] = VARIABLE.exec(body) ?? []
  if (name === undefined) {
    return {
      code: 'BAD_INTERPOLATION',
      message: `${quote(`\${${body}}`)} is no reference`,
      help: `write \${NAME}, \${NAME:-default} or \${secret:name}; $\${ stands for a plain \${.`,
    }
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  // As in a shell, `:-` also replaces an empty value.
  if (fallback !== undefined) return { value: value ? value : fallback }
  if (value !== undefined) return { value }
  const meant = nearMiss(name, Object.keys(env))
  return {
    code: 'UNSET_VARIABLE',
    message: `environment variable ${quote(name)} is not set`,
    help: `${meant === undefined ? '' : `did you mean ${quote(meant)}? `}set it, or give a default: \${${name}:-…}.`,
  }
}

/** Replaces every reference in one scalar. What is put in is never looked at again. */
export function interpolate(written: string, surroundings: Surroundings): Interpolated {
  if (!written.includes('${')) return untouched(written)
  let value = ''
  let shown = ''
  let secret = false
  let references = 0
  let from = 0
  const pieces: Piece[] = []
  const faults: Fault[] = []
  const put = (text: string, showing: string, start: number, end: number, verbatim: boolean) => {
    pieces.push({
      start: value.length,
      end: value.length + text.length,
      writtenStart: start,
      writtenEnd: end,
      verbatim,
    })
    value += text
    shown += showing
  }
  for (const match of written.matchAll(REFERENCE)) {
    const [whole, body, close] = match
    const { index } = match
    const end = index + whole.length
    put(written.slice(from, index), written.slice(from, index), from, index, true)
    from = end
    if (body === undefined) {
      put('${', '$${', index, end, false)
      continue
    }
    references += 1
    const found = close === '}' ? lookUp(body, surroundings) : UNCLOSED
    if ('value' in found) {
      surroundings.budget.characters -= found.value.length
      if (surroundings.budget.characters < 0) {
        faults.push({ ...TOO_LARGE, start: index, end })
        break
      }
      secret ||= found.secret === true
      const showing = found.secret ? whole : found.value.replaceAll('${', () => '$${')
      put(found.value, showing, index, end, false)
    } else faults.push({ ...found, start: index, end })
  }
  put(written.slice(from), written.slice(from), from, written.length, true)
  return { value, shown, references, secret, pieces, faults }
}

const UNCLOSED = {
  code: 'BAD_INTERPOLATION',
  message: 'a reference has no "}"',
  help: `write \${NAME}; $\${ stands for a plain \${.`,
} as const

const TOO_LARGE = {
  code: 'TOO_LARGE',
  message: `variables make this file longer than ${INTERPOLATED_CHARACTERS} characters`,
  help: 'keep long texts in files of their own.',
} as const

function untouched(written: string): Interpolated {
  return { value: written, shown: written, references: 0, secret: false, pieces: [], faults: [] }
}
