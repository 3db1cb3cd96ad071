/** Everything that a SYN or SYN-ACK tells of its sender, remembered for packets that look the same. */
import { hopDistance, initialTtl } from './initial_ttl.ts'
import { optionsSig } from './options_sig.ts'
import { type OsLabel, osLabel, type ScannedPort, statelessScanner } from './os_label.ts'
import type { P0fDatabase } from './p0f_database.ts'
import { matchObservation, matchParams, type P0fMatch } from './p0f_match.ts'
import { observeSyn, printObservation } from './p0f_observation.ts'
import { quirksOf } from './p0f_quirks.ts'
import { type SynFeatures, TCP_FLAG } from './syn_features.ts'

export interface SynFingerprint {
  readonly initialTtl: number
  readonly hopDistance: number
  /** e.g. `M,S,T,N,W` */
  readonly optionsSig: string
  /** p0f's `raw_sig` */
  readonly p0fSig: string
  readonly p0fMatch: P0fMatch
  /** p0f's `params`, e.g. `generic fuzzy` */
  readonly p0fParams: string
  /** by the coarse table alone; `osGuess` knows more */
  readonly osLabel: OsLabel
}

/** Different packets that are remembered: 4096 of some 60 bytes, and what was found out of them. */
const SLOTS = 4096
const WORDS = 4
const KIND_BYTES = 40

/**
 * Fingerprints against one database. Hosts and tools send the same SYN over and over, so the answer
 * to each is kept in a table of fixed size, under a hash of all that it was made from and compared in
 * full; packets made to differ push each other out and cost what they would without it.
 */
export class SynFingerprinter {
  readonly #database: P0fDatabase
  readonly #answers: (SynFingerprint | undefined)[] = new Array(SLOTS).fill(undefined)
  readonly #words = new Uint32Array(SLOTS * WORDS)
  /** option kinds of each slot, and in the last byte their count */
  readonly #kinds = new Uint8Array(SLOTS * (KIND_BYTES + 1))

  constructor(database: P0fDatabase) {
    this.#database = database
  }

  /**
   * @param peerMss for a SYN-ACK: the MSS of the SYN it answers, 0 where it is not known
   * @returns an object that later calls may return again
   */
  read(syn: SynFeatures, peerMss = 0): SynFingerprint {
    const { options } = syn
    const { kinds } = options
    const kindCount = Math.min(options.kindCount, KIND_BYTES)
    const word0 =
      quirksOf(syn) |
      ((syn.ipVersion === 6 ? 1 : 0) << 17) |
      ((syn.payloadLength > 0 ? 1 : 0) << 18) |
      ((options.ownTimestamp > 0 ? 1 : 0) << 19) |
      ((syn.flags & TCP_FLAG.ack) << 16) |
      ((options.eolPadding & 0x3f) << 21)
    const word1 = syn.window | (options.mss << 16)
    const word2 =
      syn.ttl |
      ((syn.tos >> 2) << 8) |
      (syn.ipOptionsLength << 14) |
      ((options.windowScale + 1) << 20)
    const word3 = syn.headerLength | (peerMss << 16)

    let hash = Math.imul(word0, 0x9e3779b1) ^ Math.imul(word1, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ Math.imul(word2, 0x27d4eb2f) ^ word3
    for (let at = 0; at < kindCount; at++) hash = Math.imul(hash ^ (kinds[at] ?? 0), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1)
    const slot = (hash >>> 16) & (SLOTS - 1)

    const words = this.#words
    const base = slot * WORDS
    const kindBase = slot * (KIND_BYTES + 1)
    const known = this.#answers[slot]
    if (
      known !== undefined &&
      words[base] === word0 >>> 0 &&
      words[base + 1] === word1 >>> 0 &&
      words[base + 2] === word2 >>> 0 &&
      words[base + 3] === word3 >>> 0 &&
      this.#sameKinds(kindBase, kinds, kindCount)
    ) {
      return known
    }
    const answer = this.#fingerprint(syn, peerMss)
    words[base] = word0
    words[base + 1] = word1
    words[base + 2] = word2
    words[base + 3] = word3
    this.#kinds[kindBase + KIND_BYTES] = kindCount
    for (let at = 0; at < kindCount; at++) this.#kinds[kindBase + at] = kinds[at] ?? 0
    this.#answers[slot] = answer
    return answer
  }

  #sameKinds(base: number, kinds: ArrayLike<number>, kindCount: number): boolean {
    if (this.#kinds[base + KIND_BYTES] !== kindCount) return false
    for (let at = 0; at < kindCount; at++) {
      if (this.#kinds[base + at] !== kinds[at]) return false
    }
    return true
  }

  #fingerprint(syn: SynFeatures, peerMss: number): SynFingerprint {
    const { ttl, tos, window, flags, options } = syn
    const letters = optionsSig(options.kinds, options.kindCount)
    const seen = observeSyn(syn, peerMss)
    const module = (flags & TCP_FLAG.ack) === 0 ? 'syn' : 'syn+ack'
    const p0fMatch = matchObservation(this.#database, module, seen)
    const { mss, windowScale } = options
    return {
      initialTtl: initialTtl(ttl),
      hopDistance: hopDistance(ttl),
      optionsSig: letters,
      p0fSig: printObservation(seen),
      p0fMatch,
      p0fParams: matchParams(p0fMatch, tos),
      osLabel: osLabel({ ttl, window, mss, windowScale, optionsSig: letters }),
    }
  }
}

/**
 * The coarse OS label of a SYN. A stateless scanner is told by its IP-ID, which differs from packet to
 * packet and so is no part of the fingerprint; only the SYN scan of nmap comes ahead of it.
 */
export function osGuess(
  syn: SynFeatures,
  fingerprint: SynFingerprint,
  target?: ScannedPort,
): OsLabel {
  if (fingerprint.osLabel === 'nmap' && fingerprint.optionsSig === 'M') return 'nmap'
  return statelessScanner(syn, target) ?? fingerprint.osLabel
}
