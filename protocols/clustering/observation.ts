/** One source address as the identity clusterer sees it. */
import type { FingerprintValues } from './fingerprint_entries.ts'
import { stringSet } from './string_set.ts'

/**
 * What the similarity of two addresses hangs on. There is no time in it and must not be: a campaign
 * that rests for months is still the same hands. Sets are sorted and distinct.
 * @see spec/clustering.md section 3.1
 */
export type Observation = {
  observation_id: string
  ja3: string | null
  hassh: string | null
  asn: number | null
  payload_hashes: string[]
  c2_endpoints: string[]
  /** a user and a password as one string */
  credentials: string[]
  /** distinct commands by phase */
  commands_by_phase: Record<string, string[]>
}

/** What is known of an address, in any order, with repeats. */
export interface Sightings {
  readonly ja3?: string | null | undefined
  readonly hassh?: string | null | undefined
  readonly asn?: number | null | undefined
  readonly payload_hashes?: Iterable<string>
  readonly c2_endpoints?: Iterable<string>
  readonly credentials?: Iterable<readonly [user: string, password: string]>
  readonly commands_by_phase?: Readonly<Record<string, Iterable<string>>>
}

/** A user and a password as one string; no two pairs share one. */
const credentialKey = (pair: readonly [user: string, password: string]): string =>
  JSON.stringify(pair)

export function makeObservation(observationId: string, sightings: Sightings): Observation {
  const { ja3 = null, hassh = null, asn = null } = sightings
  const { payload_hashes = [], c2_endpoints = [], credentials = [] } = sightings
  const { commands_by_phase = {} } = sightings
  return {
    observation_id: observationId,
    ja3,
    hassh,
    asn,
    payload_hashes: stringSet(payload_hashes),
    c2_endpoints: stringSet(c2_endpoints),
    credentials: stringSet(Array.from(credentials, credentialKey)),
    commands_by_phase: Object.fromEntries(
      Object.entries(commands_by_phase).map(([phase, commands]) => [phase, stringSet(commands)]),
    ),
  }
}

/** An attacker as the clusterer is told of it, see `attackerOfRow`. */
export interface ToldAttacker extends Omit<Sightings, 'ja3' | 'hassh'> {
  readonly attacker_uuid: string
}

/** @param values as `readFingerprints` gives them; the last of each is what counts */
export const observationOf = (
  { attacker_uuid, ...told }: ToldAttacker,
  values: FingerprintValues,
): Observation =>
  makeObservation(attacker_uuid, { ...told, ja3: values.ja3.at(-1), hassh: values.hassh.at(-1) })
