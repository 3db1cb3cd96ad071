/** Matches signatures that come as text, such as p0f's own logs, where there is no packet any more. */
import type { P0fDatabase } from './p0f_database.ts'
import { P0fError } from './p0f_error.ts'
import { layoutSize, printLayout } from './p0f_layout.ts'
import { matchObservation, type P0fMatch, type P0fModule } from './p0f_match.ts'
import type { P0fObservation } from './p0f_observation.ts'
import { QUIRK } from './p0f_quirks.ts'
import { type P0fSignature, parseSignature } from './p0f_signature.ts'
import { windowMultiple, windowsOfMultiple } from './p0f_window.ts'
import { OPTION_KIND } from './syn_features.ts'

/**
 * Matches the text of an observation, such as the `raw_sig` of a p0f log. The text tells of a window
 * `mss*4` not which of the divisors it came from, so each window it can stand for is tried, the
 * likeliest first, and an exact match beats a fuzzy one.
 * @throws {P0fError} `P0F_SIGNATURE` if it is no signature, or one with wildcards
 */
export function matchRawSignature(
  database: P0fDatabase,
  module: P0fModule,
  text: string,
): P0fMatch {
  return observationsOf(parseSignature(text))
    .map((seen) => matchObservation(database, module, seen))
    .reduce((best, match) => (rank(match) > rank(best) ? match : best))
}

function rank({ rule, fuzzy }: P0fMatch): number {
  if (!rule) return 0
  if (fuzzy) return 1
  return rule.label.generic ? 2 : 3
}

/** At least one. */
function observationsOf(sig: P0fSignature): P0fObservation[] {
  const { ipVersion, mss, scale, window, optionKinds: kinds, eolPadding } = sig
  if (ipVersion === undefined || mss === undefined || scale === undefined || sig.payload === '*') {
    throw new P0fError('P0F_SIGNATURE', 'a * in what should be a packet')
  }
  if (sig.ttlForm === 'random' || window.form === 'any' || window.form === 'modulo') {
    throw new P0fError('P0F_SIGNATURE', 'a rule where a packet should be')
  }
  const tcpOptions = layoutSize({ kinds, eolPadding })
  const ipHeader = ipVersion === 4 ? 20 + sig.ipOptionsLength : 40
  const context = {
    ipVersion,
    mss,
    headerLength: tcpOptions === undefined ? 0 : ipHeader + 20 + tcpOptions,
    hasOwnTimestamp:
      kinds.includes(OPTION_KIND.timestamps) && (sig.quirks & QUIRK.zeroTimestamp) === 0,
    peerMss: 0,
  }
  const multiple = window.form === 'mtu' ? -window.value : window.value
  const windows = window.form === 'value' ? [window.value] : windowsOfMultiple(multiple, context)
  // Made of the peer's MSS, which the text does not tell: a window that is no rule's.
  if (windows.length === 0) windows.push(-1)
  return windows.map((value) => ({
    ipVersion,
    ttl: sig.ttl,
    ipOptionsLength: sig.ipOptionsLength,
    mss,
    window: value,
    windowMultiple: window.form === 'value' ? windowMultiple(value, context) : multiple,
    scale,
    layout: printLayout(kinds, kinds.length, eolPadding),
    quirks: sig.quirks,
    hasPayload: sig.payload === '+',
  }))
}
