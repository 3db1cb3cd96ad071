/** Numbers as people read them. */

const grouping = new Intl.NumberFormat('en-GB')

/** @returns `1,234,567` */
export const grouped = (value: number): string => grouping.format(value)

const SIZES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** @returns `987`, `12.3k`, `4.56M`: three digits */
export function compact(value: number): string {
  const [size, name] = SIZES.find(([least]) => Math.abs(value) >= least) ?? [1, '']
  if (size === 1) return String(Math.round(value * 10) / 10)
  const scaled = value / size
  return `${scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : 1)}${name}`
}

/** @param value per second; undefined: not known @returns `0/s`, `0.4/s`, `12.3k/s` */
export function rate(value: number | undefined): string {
  if (value === undefined) return '–'
  return `${value > 0 && value < 0.1 ? '<0.1' : compact(value)}/s`
}

/** @param count of things @param one its name, e.g. `address` */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`

/** @returns `340 B`, `12.3 kB`, `4.6 MB` */
export const bytes = (value: number): string => {
  const [size, name] = SIZES.find(([least]) => value >= least) ?? [1, '']
  return size === 1 ? `${value} B` : `${(value / size).toFixed(1)} ${name}B`
}
