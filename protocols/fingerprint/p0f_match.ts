/** Which signature of a database a SYN or SYN-ACK fits, by the rules of p0f v3. */
import { dscpOf } from './ip_tos.ts'
import type { P0fDatabase, P0fRules } from './p0f_database.ts'
import { guessDistance, LONGEST_DISTANCE, type P0fObservation } from './p0f_observation.ts'
import { QUIRK } from './p0f_quirks.ts'
import { layoutKey, type P0fRule } from './p0f_rule.ts'

/** p0f's module: which of the two sections is looked into. */
export type P0fModule = 'syn' | 'syn+ack'

/** A verdict. */
export interface P0fMatch {
  /** as p0f prints it: name and flavour, e.g. `Windows 7 or 8`; `???` where nothing fits */
  readonly label: string
  /** `app` for a program with a stack of its own; undefined where nothing fits */
  readonly kind: 'os' | 'app' | undefined
  readonly rule: P0fRule | undefined
  readonly fuzzy: boolean
  /** hops */
  readonly distance: number
}

/** What p0f prints for no match. */
export const UNKNOWN_LABEL = '???'

/**
 * The first specific signature that fits exactly, else the first generic one, else the first that
 * fits but for small differences: `df` or `id+` gone, `id-` or `ecn` come, an unlikely distance. Such
 * a fuzzy match is never one with a program's own stack: its oddities are all there is to tell it by.
 */
export function matchObservation(
  database: P0fDatabase,
  module: P0fModule,
  seen: P0fObservation,
): P0fMatch {
  const rules = module === 'syn' ? database.request : database.response
  const { exact, fuzzy } = findRules(rules, seen)
  if (exact) return matched(exact, false, exact.ttl - seen.ttl)
  // p0f 3.09 leaves the distance at 0 here.
  if (fuzzy?.label.userland) return unmatched(0)
  if (!fuzzy) return unmatched(guessDistance(seen.ttl))
  return matched(fuzzy, true, isFar(fuzzy, seen) ? guessDistance(seen.ttl) : fuzzy.ttl - seen.ttl)
}

function matched(rule: P0fRule, fuzzy: boolean, distance: number): P0fMatch {
  const { text, userland } = rule.label
  return { label: text, kind: userland ? 'app' : 'os', rule, fuzzy, distance }
}

const unmatched = (distance: number): P0fMatch => ({
  label: UNKNOWN_LABEL,
  kind: undefined,
  rule: undefined,
  fuzzy: false,
  distance,
})

function findRules(rules: P0fRules, seen: P0fObservation) {
  let generic: P0fRule | undefined
  let fuzzy: P0fRule | undefined
  for (const rule of rules.get(layoutKey(seen.ipOptionsLength, seen.layout)) ?? NONE) {
    const fit = fitOf(rule, seen)
    if (fit === 'fuzzy') fuzzy ??= rule
    else if (fit === 'exact') {
      if (!rule.label.generic) return { exact: rule, fuzzy }
      generic ??= rule
    }
  }
  return { exact: generic, fuzzy }
}

const NONE: readonly P0fRule[] = []

function fitOf(rule: P0fRule, seen: P0fObservation): 'exact' | 'fuzzy' | 'none' {
  // The version is not compared, as p0f 3.09 does not either, whatever its README says: its verdicts
  // are what others look ours up by. An IPv6 packet lacks the quirks `df` and `id+`, if asked for.
  const asked = seen.ipVersion === 4 ? rule.quirksV4 : rule.quirksV6
  const gone = asked & ~seen.quirks
  const come = seen.quirks & ~asked
  if ((gone & ~MAY_BE_GONE) !== 0 || (come & ~MAY_COME) !== 0) return 'none'
  if (rule.mss !== -1 && rule.mss !== seen.mss) return 'none'
  if (rule.scale !== -1 && rule.scale !== seen.scale) return 'none'
  if (rule.payload !== -1 && rule.payload !== (seen.hasPayload ? 1 : 0)) return 'none'
  if (!fitsWindow(rule, seen)) return 'none'
  if (rule.randomTtl && rule.ttl < seen.ttl) return 'none'
  return gone !== 0 || come !== 0 || isFar(rule, seen) ? 'fuzzy' : 'exact'
}

const MAY_BE_GONE = QUIRK.df | QUIRK.nonZeroId
const MAY_COME = QUIRK.zeroId | QUIRK.ecn

/** Whether a packet of this TTL cannot well have started at the rule's. */
function isFar(rule: P0fRule, seen: P0fObservation): boolean {
  if (rule.randomTtl) return false
  return rule.ttl < seen.ttl || rule.ttl - seen.ttl > LONGEST_DISTANCE
}

function fitsWindow(rule: P0fRule, seen: P0fObservation): boolean {
  const { form, value } = rule.signature.window
  switch (form) {
    case 'any':
      return true
    case 'value':
      return seen.window === value
    case 'modulo':
      return seen.window % value === 0
    case 'mss':
      return seen.windowMultiple === value
    case 'mtu':
      return seen.windowMultiple === -value
  }
}

/**
 * p0f's remark on a verdict.
 * @param tos the ToS byte of the packet; its code point is shown if it is not 0
 * @returns words from `generic fuzzy random_ttl excess_dist tos:0x02`, or `none`
 */
export function matchParams({ rule, fuzzy, distance }: P0fMatch, tos = 0): string {
  const words: string[] = []
  if (rule?.label.generic) words.push('generic')
  if (fuzzy) words.push('fuzzy')
  if (rule?.randomTtl) words.push('random_ttl')
  if (distance > LONGEST_DISTANCE) words.push('excess_dist')
  const dscp = dscpOf(tos)
  if (dscp !== 0) words.push(`tos:0x${dscp.toString(16).padStart(2, '0')}`)
  return words.join(' ') || 'none'
}

/** The link a sender is on, by its MSS; undefined for an MTU that the database does not know. */
export function linkOf(database: P0fDatabase, ipVersion: 4 | 6, mss: number): string | undefined {
  return mss === 0 ? undefined : database.links.get(mss + (ipVersion === 4 ? 40 : 60))
}
