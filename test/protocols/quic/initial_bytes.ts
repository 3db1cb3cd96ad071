/** Initial packets in bytes, for tests: any made from its frames, and those of RFC 9001. */
import { createCipheriv } from 'node:crypto'
import { initialKeys } from '../../../protocols/quic/initial_keys.ts'
import { quicVersion } from '../../../protocols/quic/long_header.ts'
import { counted8, hex, u16Bytes } from '../tls/hello_bytes.ts'

export const DCID = hex('8394c8f03e515708')

const twoByteInteger = (value: number): Buffer => u16Bytes(0x4000 | value)

/** A CRYPTO frame. RFC 9000 section 19.6 */
export const crypto = (offset: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([6]), twoByteInteger(offset), twoByteInteger(bytes.length), bytes])

interface Packet {
  frames: Uint8Array
  side?: 'client' | 'server'
  version?: number
  /** That the keys come from. */
  dcid?: Buffer
  /** That the packet is sent to. */
  to?: Buffer
  token?: Buffer
  number?: number
}

/** An Initial packet as RFC 9001 section 5 protects it, with a packet number of four bytes. */
export function initialPacket(packet: Packet): Buffer {
  const { frames, side = 'client', version = quicVersion.v1, dcid = DCID, number = 2 } = packet
  const { to = dcid, token = Buffer.alloc(0) } = packet
  const keys = initialKeys(version, dcid, side)
  const versionBytes = Buffer.alloc(4)
  versionBytes.writeUInt32BE(version)
  const numberBytes = Buffer.alloc(4)
  numberBytes.writeUInt32BE(number)
  const head = Buffer.concat([
    Buffer.from([version === quicVersion.v2 ? 0xd3 : 0xc3]),
    versionBytes,
    counted8(to),
    counted8(Buffer.alloc(0)),
    counted8(token), // shorter than 64 bytes, so one byte has the length

    twoByteInteger(4 + frames.length + 16),
    numberBytes,
  ])
  const nonce = Buffer.from(keys.iv, 'hex')
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8)
  const sealing = createCipheriv('aes-128-gcm', Buffer.from(keys.key, 'hex'), nonce)
  sealing.setAAD(head)
  const sealed = Buffer.concat([sealing.update(frames), sealing.final(), sealing.getAuthTag()])
  const mask = createCipheriv('aes-128-ecb', Buffer.from(keys.hp, 'hex'), null).update(
    sealed.subarray(0, 16),
  )
  head[0] = (head[0] ?? 0) ^ ((mask[0] ?? 0) & 15)
  for (let index = 0; index < 4; index++) {
    const at = head.length - 4 + index
    head[at] = (head[at] ?? 0) ^ (mask[1 + index] ?? 0)
  }
  return Buffer.concat([head, sealed])
}

/** The CRYPTO frame of RFC 9001 appendix A.2, which holds a ClientHello for example.com. */
export const RFC_CLIENT_CRYPTO = hex(`
  060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302
  010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c
  706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec
  74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffff
  ffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff`)

/** The answer of the server in appendix A.3, as it is sent. */
export const RFC_SERVER_PACKET = hex(`
  cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5
  a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4
  cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee`)
