/** Moments, speeds, lengths of time and sizes on the command line. */
import { parseDuration, parseSize } from '../engine/fields.ts'
import { isoMicros } from '../protocols/iso_time.ts'
import { UsageError } from './usage_error.ts'

const MILLISECONDS = /^-?\d+(\.\d+)?$/

/**
 * @param text ISO 8601 (UTC unless it says otherwise), a date alone, or ms since the epoch
 * @returns ms since the epoch
 * @throws {UsageError}
 */
export function momentOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = MILLISECONDS.test(text) ? Number(text) : isoMicros(withTime(text)) / 1000
  if (Number.isFinite(time)) return time
  throw new UsageError(`${option} takes a time like 2026-03-01T09:00:00Z, or ms since the epoch.`)
}

/** A date alone, and a time to the minute, are filled up. */
const withTime = (text: string): string =>
  text
    .replace(/^(\d{4}-\d\d-\d\d)$/, '$1T00:00')
    .replace(/^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(?=$|[Z+-])/, '$1:00')

/**
 * @param text `max`, or how much faster than it happened
 * @returns undefined for `max`
 * @throws {UsageError}
 */
export function speedOption(text: string): number | undefined {
  if (text === 'max') return undefined
  const factor = Number(text)
  if (text.trim() !== '' && Number.isFinite(factor) && factor > 0) return factor
  throw new UsageError('--speed takes max, or a factor like 1 or 10.')
}

/** @throws {UsageError} */
export function durationOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new UsageError(`${option} takes a length of time like 30s, 10m or 2h.`)
}

/** @throws {UsageError} */
export function sizeOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseSize(text)
  if (bytes !== undefined) return bytes
  throw new UsageError(`${option} takes a size like 64MiB or 2GB.`)
}
