/** What an interface description block says of the packets that follow. */
import { type PcapngInterface, readUint16, readUint32 } from './capture_format.ts'

const END_OF_OPTIONS = 0
const IF_TSRESOL = 9
const IF_TSOFFSET = 14

/**
 * @param at offset of the link type, behind the block's type and length
 * @param end offset of the length at the end of the block, or of as much of it as is here
 * @see draft-ietf-opsawg-pcapng section 4.2
 */
export function interfaceOf(
  bytes: Buffer,
  at: number,
  end: number,
  bigEndian: boolean,
): PcapngInterface {
  let ticksPerSecond = 1e6
  let offsetSeconds = 0
  for (let option = at + 8; option + 4 <= end; ) {
    const code = readUint16(bytes, option, bigEndian)
    const length = readUint16(bytes, option + 2, bigEndian)
    const value = option + 4
    if (code === END_OF_OPTIONS || value + length > end) break
    if (code === IF_TSRESOL && length === 1) ticksPerSecond = resolution(bytes.readUInt8(value))
    if (code === IF_TSOFFSET && length === 8) offsetSeconds = int64(bytes, value, bigEndian)
    option = value + length + ((4 - (length % 4)) % 4)
  }
  const linkType = readUint16(bytes, at, bigEndian)
  const snapLength = readUint32(bytes, at + 4, bigEndian)
  return { linkType, snapLength, ticksPerSecond, offsetSeconds }
}

/** The top bit tells a power of two from one of ten. */
const resolution = (octet: number): number => (octet >= 0x80 ? 2 ** (octet & 0x7f) : 10 ** octet)

/** As a double: it is exact for every offset that makes sense. */
const int64 = (bytes: Buffer, at: number, bigEndian: boolean): number =>
  Number(bigEndian ? bytes.readBigInt64BE(at) : bytes.readBigInt64LE(at))
