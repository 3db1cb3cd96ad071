/** Integers of one to eight bytes. RFC 9000 section 16 */
import { u16, u32 } from '../big_endian.ts'

/** How many bytes the integer at `at` takes: 1, 2, 4 or 8; more than are left means it is cut. */
export const varintLength = (bytes: Uint8Array, at: number): number =>
  1 << ((bytes[at] as number) >> 6)

/**
 * The integer at `at`, of which the caller has made sure that it is whole.
 * @returns exact up to 2^53; above that near enough to exceed any length
 */
export function varint(bytes: Uint8Array, at: number): number {
  switch ((bytes[at] as number) >> 6) {
    case 0:
      return bytes[at] as number
    case 1:
      return u16(bytes, at) & 0x3fff
    case 2:
      return u32(bytes, at) & 0x3fffffff
    default:
      return (u32(bytes, at) & 0x3fffffff) * 0x1_0000_0000 + u32(bytes, at + 4)
  }
}
