/** Random observations and identities, drawn from so few values that they meet often. */
import {
  type IdentityFeatures,
  type SessionSpan,
  uniteMembers,
} from '../../../protocols/clustering/identity_features.ts'
import { makeObservation, type Observation } from '../../../protocols/clustering/observation.ts'
import { PHASES, type Phase } from '../../../protocols/clustering/ukc_phase.ts'
import type { Random } from './random.ts'

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

/** @param spread how many values there are of each kind */
export function randomObservation(random: Random, id: string, spread: number): Observation {
  const values = names('v', spread)
  const maybe = (p: number) => (random.chance(p) ? random.pick(values) : null)
  return makeObservation(id, {
    ja3: maybe(0.4),
    hassh: maybe(0.4),
    asn: random.chance(0.5) ? random.below(3) : null,
    payload_hashes: random.chance(0.6) ? random.some(values, 1.2 / spread) : [],
    c2_endpoints: random.chance(0.4) ? random.some(values, 1.2 / spread) : [],
    credentials: random.some([...'abcd'], 0.3).map((user) => [user, 'x'] as const),
    commands_by_phase: Object.fromEntries(
      random
        .some(['discovery', 'execution'], 0.5)
        .map((phase) => [phase, random.some([...'ls'], 0.6)]),
    ),
  })
}

const HOUR = 3_600_000

/** @param spread how many tokens and deckies there are */
export function randomIdentity(random: Random, spread: number): IdentityFeatures {
  const handing: Phase[] = ['persistence', 'command_and_control', 'discovery', 'lateral_movement']
  const sessions = Array.from({ length: random.below(4) }, (): SessionSpan => {
    const start = random.below(60) * HOUR * 2
    const phase = random.chance(0.6) ? random.pick(handing) : random.pick(PHASES)
    return { decky: `d${random.below(spread)}`, phase, start, end: start + random.below(5) * HOUR }
  })
  return uniteMembers([
    {
      asn: random.chance(0.5) ? random.below(3) : null,
      payload_hashes: random.some(names('t', 5), random.chance(0.5) ? 0.7 : 0.1),
      c2_endpoints: random.some(names('t', 4), random.chance(0.5) ? 0.6 : 0),
      tooling: random.some([...'xy'], 0.2),
      sessions: random.chance(0.5) ? sessions : [],
    },
  ])
}
