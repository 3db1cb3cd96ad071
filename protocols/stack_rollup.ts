/** What SYNs, probes and flows tell of an attacker's network stack, put together. */
import type { Fields } from './record_data.ts'

/** Kept of one attacker. JSON; times are event time, ms. */
export type Stack = {
  /** of the newest event, and its time */
  newest: StackKeys | null
  newestAt: number
  ipid: Label
  isn: Label
  /** label → how often, and when first */
  guesses: Record<string, [count: number, first: number]>
  /** ttl → how often */
  ttls: Record<string, number>
  /** hops → how often */
  hops: Record<string, number>
  retransmits: number
  kex: string[]
  banners: string[]
}
/** A sequence class that was not `unknown`, and when. */
type Label = { value: string | null; at: number }

/** What the newest event alone tells. */
type StackKeys = {
  window: number | null
  wscale: number | null
  mss: number | null
  options_sig: string | null
  has_sack: boolean
  has_timestamps: boolean
  tos: number | null
  dscp: number | null
  ecn: number | null
}

/** Before any time a Date can tell; state is JSON, which has no infinity. */
const BEFORE_ALL = -8.64e15
const MAX_LABELS = 16
const MAX_LISTED = 32
const MAX_TEXT = 1024

export const newStack = (): Stack => ({
  newest: null,
  newestAt: BEFORE_ALL,
  ipid: { value: null, at: BEFORE_ALL },
  isn: { value: null, at: BEFORE_ALL },
  guesses: {},
  ttls: {},
  hops: {},
  retransmits: 0,
  kex: [],
  banners: [],
})

/** Takes a record in; one that is none of the stack changes nothing. */
export function addToStack(
  stack: Stack,
  time: number,
  { event_type, fields }: { event_type: string; fields: Fields },
): void {
  if (event_type === 'tcp_syn_fingerprint') addSyn(stack, time, fields)
  else if (event_type === 'tcpfp_fingerprint') addProbe(stack, time, fields)
  else if (event_type === 'tcp_flow_timing') stack.retransmits += whole(fields.retransmits) ?? 0
  else if (event_type === 'hassh_fingerprint') list(stack.kex, fields.kex_algorithms)
  else if (event_type === 'ssh_client_banner') list(stack.banners, fields.ssh_version)
}

function addSyn(stack: Stack, time: number, fields: Fields): void {
  setNewest(stack, time, {
    window: whole(fields.window),
    wscale: whole(fields.wscale),
    mss: whole(fields.mss),
    options_sig: text(fields.options_sig),
    has_sack: fields.has_sack === 'true',
    has_timestamps: fields.has_timestamps === 'true',
    ...service(fields),
  })
  setLabel(stack.ipid, time, fields.ipid_class)
  setLabel(stack.isn, time, fields.isn_class)
  addGuess(stack, time, fields)
  const hops = whole(fields.hop_distance) ?? 0
  if (hops > 0 && hops <= 255) count(stack.hops, String(hops))
}

function addProbe(stack: Stack, time: number, fields: Fields): void {
  setNewest(stack, time, {
    window: whole(fields.window_size),
    wscale: whole(fields.window_scale),
    mss: whole(fields.mss),
    options_sig: text(fields.options_order),
    has_sack: fields.sack_ok === '1',
    has_timestamps: fields.timestamp === '1',
    ...service(fields),
  })
  addGuess(stack, time, fields)
  const ttl = whole(fields.ttl) ?? 0
  const hops = initialTtl(ttl) - ttl
  if (ttl > 0 && ttl <= 255 && hops > 0) count(stack.hops, String(hops))
}

const service = (fields: Fields) => ({
  tos: whole(fields.tos),
  dscp: whole(fields.dscp),
  ecn: whole(fields.ecn),
})

/** The classes are no part of it: a probe knows none, and must not take away what SYNs have shown. */
function setNewest(stack: Stack, time: number, keys: StackKeys): void {
  if (time < stack.newestAt) return
  stack.newest = keys
  stack.newestAt = time
}

function setLabel(label: Label, time: number, value: unknown): void {
  const known = text(value)
  if (known === null || known === '' || known === 'unknown' || time < label.at) return
  label.value = known.slice(0, 32)
  label.at = time
}

function addGuess({ guesses, ttls }: Stack, time: number, fields: Fields): void {
  const guess = text(fields.os_guess)?.slice(0, 64)
  if (guess && guess !== 'unknown' && guess !== '__proto__') {
    const known = Object.hasOwn(guesses, guess) ? guesses[guess] : undefined
    if (known) guesses[guess] = [known[0] + 1, Math.min(known[1], time)]
    else if (Object.keys(guesses).length < MAX_LABELS) guesses[guess] = [1, time]
  }
  const ttl = whole(fields.ttl) ?? 0
  if (ttl > 0 && ttl <= 255) count(ttls, String(ttl))
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

function list(known: string[], value: unknown): void {
  const one = text(value)?.slice(0, MAX_TEXT)
  if (one && known.length < MAX_LISTED && !known.includes(one)) known.push(one)
}

/** What a sender most likely started from. */
const initialTtl = (ttl: number): number => (ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255)

const whole = (value: unknown): number | null => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : null
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : null
}

const text = (value: unknown): string | null =>
  typeof value === 'string' ? value.slice(0, MAX_TEXT).toWellFormed() : null

/** @see spec/ingest-and-profile.md section 3.7 */
export function describeStack(stack: Stack) {
  const { newest, ipid, isn, retransmits, kex, banners } = stack
  const classes = { ipid_class: ipid.value, isn_class: isn.value }
  return {
    os_guess: osGuess(stack),
    hop_distance: medianHops(stack.hops),
    tcp_fingerprint: newest === null ? {} : { ...newest, ...classes },
    retransmit_count: retransmits,
    kex_order_raw: kex.length > 0 ? kex : null,
    ssh_client_banners: banners.length > 0 ? banners : null,
  }
}

function osGuess({ guesses, ttls }: Stack): string | null {
  const best = Object.entries(guesses).sort(
    ([, [n, first]], [, [m, other]]) => m - n || first - other,
  )[0]
  if (best) return best[0]
  const [ttl] =
    Object.entries(ttls).sort(([a, n], [b, m]) => m - n || Number(a) - Number(b))[0] ?? []
  if (ttl === undefined) return null
  const start = initialTtl(Number(ttl))
  return start === 64 ? 'linux' : start === 128 ? 'windows' : 'embedded'
}

function medianHops(hops: Readonly<Record<string, number>>): number | null {
  const entries = Object.entries(hops).map(([distance, n]) => [Number(distance), n] as const)
  const total = entries.reduce((sum, [, n]) => sum + n, 0)
  if (total === 0) return null
  entries.sort(([a], [b]) => a - b)
  const nth = (place: number): number => {
    let passed = 0
    for (const [distance, n] of entries) {
      passed += n
      if (passed > place) return distance
    }
    return 0
  }
  return Math.trunc((nth((total - 1) >> 1) + nth(total >> 1)) / 2)
}
