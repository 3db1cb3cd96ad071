/** Frames that a capture holds twice: a mirror port, two taps, the `any` interface. */
import { u32 } from './octets.ts'
import { type Packet, PROTOCOL } from './packet.ts'

/** Copies of one frame are no further apart than that; ms */
const WINDOW_MS = 2
/** The table: buckets of a few entries, of which the one furthest in time makes room. */
const BUCKETS = 512
const PER_BUCKET = 4
/** Addresses 8, ports, seq, ack, flags with protocol and IP version, IP-ID with length. */
const WORDS = 13
const STRIDE = 16

/**
 * Remembers the last packets in a table of fixed size (144 KiB). They are compared field by field,
 * not by a hash alone, so a packet that differs is never dropped; where more than four packets of one
 * bucket arrive within 2 ms, a copy can get through.
 */
export class DuplicateFrames {
  readonly #entries = new Uint32Array(BUCKETS * PER_BUCKET * STRIDE)
  readonly #times = new Float64Array(BUCKETS * PER_BUCKET).fill(-Infinity)
  readonly #probe = new Uint32Array(STRIDE)

  /**
   * @returns whether a packet equal in addresses, ports, sequence and acknowledgment number, flags,
   *   IP-ID and length was seen at most 2 ms before, or after where the clock went back. It stays
   *   at the first one's time, so a stream of equal packets is thinned and never silenced. UDP and
   *   ICMPv6 have no sequence number: their checksum and their last bytes stand for it.
   */
  isDuplicate(packet: Packet): boolean {
    const hash = this.#fill(packet)
    const first = (hash >>> 23) * PER_BUCKET
    let victim = first
    let furthest = -1
    for (let entry = first; entry < first + PER_BUCKET; entry++) {
      // Not by age alone: after a clock that went back, entries of the future would stay for ever.
      const distance = Math.abs(packet.time - (this.#times[entry] ?? 0))
      if (distance <= WINDOW_MS && this.#equals(entry)) return true
      if (distance <= furthest) continue
      furthest = distance
      victim = entry
    }
    this.#entries.set(this.#probe, victim * STRIDE)
    this.#times[victim] = packet.time
    return false
  }

  #fill(packet: Packet): number {
    const { bytes } = packet
    const probe = this.#probe
    const addresses = packet.ipVersion === 4 ? packet.ipStart + 12 : packet.ipStart + 8
    const words = packet.ipVersion === 4 ? 2 : 8
    for (let word = 0; word < 8; word++) {
      probe[word] = word < words ? u32(bytes, addresses + word * 4) : 0
    }
    const isTcp = packet.protocol === PROTOCOL.TCP
    probe[8] = (packet.srcPort << 16) | packet.dstPort
    probe[9] = isTcp ? packet.seq : u32(bytes, packet.transportStart + 4)
    probe[10] = isTcp ? packet.ack : u32(bytes, packet.payloadEnd - 4)
    probe[11] = (packet.ipVersion << 24) | (packet.protocol << 16) | packet.tcpFlags
    probe[12] = (packet.ipId << 16) | (packet.ipLength & 0xffff)
    let hash = 0
    for (let word = 0; word < WORDS; word++) {
      hash = Math.imul(hash ^ (probe[word] ?? 0), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return Math.imul(hash, 0x85ebca6b)
  }

  #equals(entry: number): boolean {
    const at = entry * STRIDE
    for (let word = 0; word < WORDS; word++) {
      if (this.#entries[at + word] !== this.#probe[word]) return false
    }
    return true
  }
}
