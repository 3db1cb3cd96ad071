/**
 * Unsigned integers in network byte order. A byte past the end counts as zero, so that no read ever
 * throws or leaves the array: whether the bytes are there is for the caller to ask, once per field.
 */

/** Two bytes, 0 to 65535. */
export const u16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 8) | (bytes[at + 1] as number)

/** Three bytes, 0 to 2^24 - 1. */
export const u24 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)

/** Four bytes, 0 to 2^32 - 1. */
export const u32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) | u24(bytes, at + 1)) >>> 0
