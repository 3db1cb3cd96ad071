/** p0f's quirks: what is odd about a SYN's headers, as bits. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'
import { type SynFeatures, TCP_FLAG } from './syn_features.ts'

/** In the order p0f prints them. */
const NAMES = [
  'df',
  'id+',
  'id-',
  'ecn',
  '0+',
  'flow',
  'seq-',
  'ack+',
  'ack-',
  'uptr+',
  'urgf+',
  'pushf+',
  'ts1-',
  'ts2+',
  'opt+',
  'exws',
  'bad',
] as const

/** Bits of a quirks number, one for each name. */
export const QUIRK = {
  df: 1,
  nonZeroId: 1 << 1,
  zeroId: 1 << 2,
  ecn: 1 << 3,
  reservedBit: 1 << 4,
  flowLabel: 1 << 5,
  zeroSeq: 1 << 6,
  nonZeroAck: 1 << 7,
  zeroAck: 1 << 8,
  urgentPointer: 1 << 9,
  urgentFlag: 1 << 10,
  pushFlag: 1 << 11,
  zeroTimestamp: 1 << 12,
  peerTimestamp: 1 << 13,
  nonZeroAfterEol: 1 << 14,
  excessiveScale: 1 << 15,
  badOptions: 1 << 16,
} as const

/** p0f reads this many options and takes a list that goes on for a bad one. */
export const MOST_OPTIONS = 24

const LARGEST_SCALE = 14

/** @see p0f README, section on quirks; RFC 7323 2.3 for the largest scale */
export function quirksOf(syn: SynFeatures): number {
  const { flags, options } = syn
  let quirks = 0
  if (syn.ipVersion === 6) {
    if (syn.flowLabel !== 0) quirks |= QUIRK.flowLabel
  } else {
    if (syn.dontFragment) quirks |= syn.ipId === 0 ? QUIRK.df : QUIRK.df | QUIRK.nonZeroId
    else if (syn.ipId === 0) quirks |= QUIRK.zeroId
    if (syn.reservedBit) quirks |= QUIRK.reservedBit
  }
  if ((syn.tos & 3) !== 0 || (flags & ECN_FLAGS) !== 0) quirks |= QUIRK.ecn
  if (syn.seq === 0) quirks |= QUIRK.zeroSeq
  if ((flags & TCP_FLAG.ack) !== 0) {
    if (syn.ack === 0) quirks |= QUIRK.zeroAck
    // p0f 3.09 sees a number only if bit 24 of it is set; its README says otherwise, and so do we.
  } else if (syn.ack !== 0 && (flags & TCP_FLAG.rst) === 0) quirks |= QUIRK.nonZeroAck
  // With the flag set the pointer is in use, and not odd by itself.
  if ((flags & TCP_FLAG.urg) !== 0) quirks |= QUIRK.urgentFlag
  else if (syn.urgentPointer !== 0) quirks |= QUIRK.urgentPointer
  if ((flags & TCP_FLAG.psh) !== 0) quirks |= QUIRK.pushFlag
  if (options.ownTimestamp === 0) quirks |= QUIRK.zeroTimestamp
  if (options.peerTimestamp > 0 && (flags & TCP_FLAG.ack) === 0) quirks |= QUIRK.peerTimestamp
  if (options.nonZeroAfterEol) quirks |= QUIRK.nonZeroAfterEol
  if (options.windowScale > LARGEST_SCALE) quirks |= QUIRK.excessiveScale
  if (options.bad || options.kindCount > MOST_OPTIONS) quirks |= QUIRK.badOptions
  return quirks
}

const ECN_FLAGS = TCP_FLAG.ece | TCP_FLAG.cwr | TCP_FLAG.ns

/** @returns e.g. `df,id+`; empty without quirks */
export function printQuirks(quirks: number): string {
  let text = ''
  for (let bit = 0; bit < NAMES.length; bit++) {
    if (((quirks >> bit) & 1) === 0) continue
    text += text === '' ? NAMES[bit] : `,${NAMES[bit]}`
  }
  return text
}

/** @throws {P0fError} `P0F_SIGNATURE` on a name that p0f does not have */
export function parseQuirks(text: string): number {
  let quirks = 0
  if (text === '') return quirks
  for (const name of text.split(',')) {
    const bit = (NAMES as readonly string[]).indexOf(name)
    if (bit === -1) throw new P0fError('P0F_SIGNATURE', `there is no quirk ${quote(name)}`)
    quirks |= 1 << bit
  }
  return quirks
}
