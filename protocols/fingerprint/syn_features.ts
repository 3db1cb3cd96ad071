/** What the fingerprints of a SYN or SYN-ACK are made of; a decoded packet offers it without copying. */

export interface SynFeatures {
  readonly ipVersion: 4 | 6
  /** TTL or hop limit as captured, 0 to 255 */
  readonly ttl: number
  /** the whole ToS or traffic class byte */
  readonly tos: number
  /** IPv4 identification, 0 to 65535; 0 for IPv6 */
  readonly ipId: number
  readonly dontFragment: boolean
  /** the IPv4 flag that must be zero (RFC 791 section 3.1) */
  readonly reservedBit: boolean
  /** bytes of IPv4 options, 0 to 40; 0 for IPv6 */
  readonly ipOptionsLength: number
  /** IPv6 flow label, 20 bits; 0 for IPv4 */
  readonly flowLabel: number
  /** IP and TCP header together, options included, in bytes; at most 65535 */
  readonly headerLength: number
  /** unsigned 32 bits, as is `ack` */
  readonly seq: number
  readonly ack: number
  /** nine bits, `TCP_FLAG` */
  readonly flags: number
  /** raw, not scaled */
  readonly window: number
  readonly urgentPointer: number
  readonly payloadLength: number
  readonly options: TcpOptionFeatures
}

/** Where an option is there twice, the last one counts. */
export interface TcpOptionFeatures {
  /** option kinds in wire order; kind 0 is there once at most, and last. Only `kindCount` are valid */
  readonly kinds: ArrayLike<number>
  /** 0 to 40 */
  readonly kindCount: number
  /** 0 where there is none */
  readonly mss: number
  /** shift of the window scale option, 0 to 255; -1 where there is none */
  readonly windowScale: number
  /** TSval, unsigned 32 bits; -1 where there is no whole timestamps option */
  readonly ownTimestamp: number
  /** TSecr, likewise */
  readonly peerTimestamp: number
  /** bytes of the option list behind kind 0; 0 where there is no kind 0 */
  readonly eolPadding: number
  /** one of those bytes is not zero */
  readonly nonZeroAfterEol: boolean
  /** a length that is wrong or points past the end */
  readonly bad: boolean
}

/** @see RFC 9293 section 3.1; RFC 3540 for NS */
export const TCP_FLAG = {
  fin: 0x001,
  syn: 0x002,
  rst: 0x004,
  psh: 0x008,
  ack: 0x010,
  urg: 0x020,
  ece: 0x040,
  cwr: 0x080,
  ns: 0x100,
} as const

/** @see RFC 9293, RFC 7323, RFC 2018 */
export const OPTION_KIND = {
  eol: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
} as const
