/**
 * Numbers in network byte order. Plain indexing, since for every packet of a capture the checks of
 * `Buffer.readUInt32BE` cost more than the reading; an octet past the end of the buffer reads as 0,
 * so it is the callers who compare lengths, once per header.
 */

/** @returns the octet at `at` */
export const u8 = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

/** @returns the two octets at `at`, big-endian */
export const u16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

/** @returns the four octets at `at`, big-endian, 0 to 2^32 - 1 */
export const u32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0
