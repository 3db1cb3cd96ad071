/** Kinds of config field that YAML writes as text and components get ready to use. */
import { type TUnsafe, Type } from 'typebox'
import type { Expression } from './cel.ts'

/** Schema keyword that names the kind; the config reader decodes by it. */
export const KIND = 'x-decnet-kind'
export type FieldKind = 'duration' | 'size' | 'cel'

interface FieldOptions {
  description: string
  default?: string
}

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE_UNITS = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const SIZE = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|KiB|MiB|GiB)$/

/** A length of time, `300ms`, `60s`, `5m`, `1h` or `7d` in YAML, ms in code. */
export const duration = (options: FieldOptions): TUnsafe<number> =>
  Type.Unsafe<number>(
    Type.String({ ...options, pattern: DURATION.source, [KIND]: 'duration' satisfies FieldKind }),
  )

/** A number of bytes, `512B`, `64KiB` or `10MB` in YAML. */
export const size = (options: FieldOptions): TUnsafe<number> =>
  Type.Unsafe<number>(
    Type.String({ ...options, pattern: SIZE.source, [KIND]: 'size' satisfies FieldKind }),
  )

/** A CEL expression over the event, compiled and checked when the pipeline is read. */
export const cel = (options: FieldOptions & { result: 'bool' | 'any' }): TUnsafe<Expression> => {
  const { result, ...rest } = options
  return Type.Unsafe<Expression>(
    Type.String({
      ...rest,
      minLength: 1,
      [KIND]: 'cel' satisfies FieldKind,
      'x-decnet-result': result,
    }),
  )
}

/** @returns ms, or undefined where `text` is no duration */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? []
  if (amount === undefined) return undefined
  return Number(amount) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]
}

/** @returns bytes, rounded down, or undefined where `text` is no size */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE.exec(text) ?? []
  if (amount === undefined) return undefined
  return Math.floor(Number(amount) * SIZE_UNITS[unit as keyof typeof SIZE_UNITS])
}
