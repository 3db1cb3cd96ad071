/** Decimal numbers inside p0f texts. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'

const DIGITS = /^\d{1,5}$/

/** @throws {P0fError} `P0F_SIGNATURE` on anything but `least` to `most` in plain decimal */
export function readNumber(text: string, what: string, least: number, most: number): number {
  const value = DIGITS.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new P0fError('P0F_SIGNATURE', `${what} ${quote(text)} is not ${least} to ${most}`)
}
