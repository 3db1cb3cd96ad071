/** One message of the TLS handshake protocol, wherever it was carried: records or QUIC. */

/** The body, without its four bytes of header, is `bytes[start..end)`. */
export interface HandshakeMessage {
  readonly type: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Message types we ask for by name. RFC 8446 section 4, RFC 5246 section 7.4 */
export const handshakeType = {
  clientHello: 1,
  serverHello: 2,
  certificate: 11,
  serverHelloDone: 14,
} as const

/** Type (1 byte) and length (3 bytes) before each message. */
export const MESSAGE_HEADER = 4
