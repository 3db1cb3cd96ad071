/** Values that clients send only to be ignored. */

/** Whether `value` is one of the sixteen, 0x0a0a to 0xfafa. RFC 8701 section 2 */
export const isGrease = (value: number): boolean =>
  (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
