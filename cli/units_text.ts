/** Durations, sizes and instants, short enough for a column. */

const DURATIONS: readonly [ms: number, unit: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
]
const SIZES: readonly [bytes: number, unit: string][] = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
]

function inUnits(value: number, units: readonly [number, string][], smallest: string): string {
  const [size, unit] = units.find(([least]) => Math.abs(value) >= least) ?? [1, smallest]
  const count = value / size
  return `${size === 1 || Math.abs(count) >= 10 ? Math.round(count) : count.toFixed(1)} ${unit}`
}

/** @example `1.5 s`, `12 d` */
export const durationText = (ms: number): string => inUnits(ms, DURATIONS, 'ms')

/** @example `512 B`, `1.2 MiB` */
export const sizeText = (bytes: number): string => inUnits(bytes, SIZES, 'B')

/** The last ms a Date can tell. */
const LAST_TIME = 8.64e15

/** ISO 8601 in UTC; the number itself where no calendar reaches. */
export const timeText = (ms: number): string =>
  Math.abs(ms) <= LAST_TIME ? new Date(ms).toISOString() : String(ms)
