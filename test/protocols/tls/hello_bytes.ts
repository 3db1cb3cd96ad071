/** Hellos in bytes for tests: those of the sheet, and any other made from its parts. */

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** A record with a ClientHello of 149 bytes: GREASE, two protocols, `lab.example`, TLS 1.3. */
export const CLIENT_RECORD = hex(`
  16030100900100008c0303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00000a2a2a
  13011302c02bc02f010000593a3a000000000010000e00000b6c61622e6578616d706c6500170000000a000a00084a4a
  001d00170018000b000201000010000e000c02683208687474702f312e31000d00080006040308040401002b0007065a
  5a03040303`)

/** A record with a ServerHello of 71 bytes: TLS 1.2, h2. */
export const SERVER_RECORD = hex(`
  16030300420200003e0303202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f00c02f0000
  16ff01000100000b000403000102001000050003026832`)

export const u16Bytes = (value: number): Buffer => Buffer.from([value >> 8, value & 255])

const u24Bytes = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value])

/** `bytes` after their length in two bytes. */
export const counted16 = (bytes: Uint8Array): Buffer =>
  Buffer.concat([u16Bytes(bytes.length), bytes])

/** `bytes` after their length in one byte. */
export const counted8 = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([bytes.length]), bytes])

export const u16s = (values: readonly number[]): Buffer => Buffer.concat(values.map(u16Bytes))

export const message = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type]), u24Bytes(body.length), body])

export const record = (type: number, fragment: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3]), counted16(fragment)])

export type Extension = readonly [type: number, body: Uint8Array]

const extensionBytes = (extensions: readonly Extension[]): Buffer =>
  counted16(
    Buffer.concat(
      extensions.map(([type, body]) => Buffer.concat([u16Bytes(type), counted16(body)])),
    ),
  )

/** The body of a ClientHello. */
export function clientHello(parts: {
  version?: number
  sessionId?: Uint8Array
  ciphers?: readonly number[]
  extensions?: readonly Extension[] | undefined
}): Buffer {
  const { version = 0x0303, sessionId = Buffer.alloc(0), ciphers = [0x1301], extensions } = parts
  return Buffer.concat([
    u16Bytes(version),
    Buffer.alloc(32, 7),
    counted8(sessionId),
    counted16(u16s(ciphers)),
    Buffer.from([1, 0]),
    extensions ? extensionBytes(extensions) : Buffer.alloc(0),
  ])
}

/** The body of a ServerHello. */
export function serverHello(parts: {
  random?: Uint8Array
  extensions?: readonly Extension[]
}): Buffer {
  const { random = Buffer.alloc(32, 9), extensions } = parts
  return Buffer.concat([
    u16Bytes(0x0303),
    random,
    counted8(Buffer.alloc(32, 1)),
    u16Bytes(0x1302),
    Buffer.from([0]),
    extensions ? extensionBytes(extensions) : Buffer.alloc(0),
  ])
}

/** The body of a server_name extension. RFC 6066 section 3 */
export const serverNames = (...names: readonly (readonly [type: number, name: Buffer])[]): Buffer =>
  counted16(
    Buffer.concat(
      names.map(([type, name]) => Buffer.concat([Buffer.from([type]), counted16(name)])),
    ),
  )
