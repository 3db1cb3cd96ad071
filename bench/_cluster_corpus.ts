/** Addresses and identities for the benchmarks of the clusterers; the same at every run. */
import {
  type IdentityFeatures,
  type SessionSpan,
  uniteMembers,
} from '../protocols/clustering/identity_features.ts'
import { makeObservation, type Observation } from '../protocols/clustering/observation.ts'

/** xorshift32. @returns what draws a number below n */
export function chances(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
}

/** What an address is compared by. */
export interface Seen {
  readonly ja3: string | null
  readonly hassh: string | null
  readonly payload_hashes: string[]
  readonly c2_endpoints: string[]
}

/** A few popular tools, many rare ones, one address in three without; payloads run in families. */
export function seen(n: number, below: (n: number) => number): Seen {
  const rare = () => (below(4) === 0 ? `popular${below(20)}` : `rare${below(n)}`)
  return {
    ja3: below(3) === 0 ? rare() : null,
    hassh: below(3) === 0 ? rare() : null,
    payload_hashes: below(4) === 0 ? [`payload${below(n)}`] : [],
    c2_endpoints: below(8) === 0 ? [`c2-${below(n)}`] : [],
  }
}

/** Addresses in pieces, as the rows of a table are read: whoever is done with one need not keep it. */
export function* addressPieces(n: number, length = 1000): Iterable<Observation[]> {
  const below = chances(n)
  for (let from = 0; from < n; from += length) {
    const piece = Array.from({ length: Math.min(length, n - from) }, (_, at) =>
      makeObservation(`address-${from + at}`, seen(n, below)),
    )
    // Strings that were read are flat, those put together here are not.
    yield JSON.parse(JSON.stringify(piece))
  }
}

export const addresses = (n: number): Observation[] => [...addressPieces(n)].flat()

const HOUR = 3_600_000

/**
 * Identities over a year on 200 deckies: one in four with payloads or endpoints of a family, of which
 * some differ in part; a session on one or two deckies each, one in ten of a phase that hands over.
 */
export function identities(n: number): IdentityFeatures[] {
  const below = chances(n)
  return Array.from({ length: n }, () => {
    const family = below(n)
    const kit = (kind: string) =>
      Array.from({ length: 1 + below(4) }, (_, at) => `${kind}${family}-${at}`)
    const sessions = Array.from({ length: 1 + below(2) }, (): SessionSpan => {
      const start = below(365 * 24 * 60) * 60_000
      const step = below(40)
      const phase =
        step < 2
          ? 'persistence'
          : step < 4
            ? 'lateral_movement'
            : step < 14
              ? 'exploitation'
              : 'delivery'
      return { decky: `decky-${below(200)}`, phase, start, end: start + below(HOUR) }
    })
    const armed = below(4) === 0
    return uniteMembers([
      {
        asn: below(60_000),
        payload_hashes: armed ? kit('payload') : [],
        c2_endpoints: armed && below(2) === 0 ? kit('c2-') : [],
        sessions,
      },
    ])
  })
}
