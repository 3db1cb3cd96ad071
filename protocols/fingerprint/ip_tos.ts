/** The two halves of the IPv4 ToS byte or the IPv6 traffic class. */

/** Differentiated services code point, 0 to 63. See RFC 2474 section 3. */
export const dscpOf = (tos: number): number => (tos >> 2) & 0x3f

/** Explicit congestion notification field, 0 to 3. See RFC 3168 section 5. */
export const ecnOf = (tos: number): number => tos & 3
