/** The bytes a webhook is told: one JSON text per event, made once, signed and sent as it is. */
import { canonicalJson } from '../canonical_json.ts'
import { formatIsoMicros } from '../iso_time.ts'

/** What a body tells. `ts` is seconds since the Unix epoch, or a text that is told as it is. */
export interface WebhookEvent {
  readonly id: string
  readonly topic: string
  readonly type: string
  readonly ts: number | string
  readonly payload: Readonly<Record<string, unknown>>
}

/** From U+D800 on, order by UTF-16 code units, as `canonicalJson` has it, is not that of UTF-8. */
const BEYOND = /[\ud800-\uffff]/

/**
 * @param now µs since the Unix epoch: stands for a `ts` that is no time
 * @returns canonical JSON: keys in the order of their UTF-8 bytes at every depth, no blanks
 * @throws {CanonicalJsonError} `JSON_DEPTH` when nested deeper than 256 levels
 * @see spec/webhooks.md section 4
 */
export function webhookBody({ id, topic, type, ts, payload }: WebhookEvent, now: number): string {
  const body = { id, payload, topic, ts: timeText(ts, now), type, v: 1 }
  const text = canonicalJson(body)
  // What canonicalJson has written is not nested too deeply for what follows.
  return BEYOND.test(text) ? byUtf8(JSON.parse(text)) : text
}

function timeText(ts: number | string, now: number): string {
  if (typeof ts === 'string' && ts !== '') return ts
  const micros = Math.round(Number(ts === '' ? Number.NaN : ts) * 1e6)
  const text = formatIsoMicros(isYear(micros) ? micros : now)
  return text.replace('.000000', '')
}

/** Years 1 to 9999. */
const isYear = (micros: number): boolean =>
  micros >= -62_135_596_800e6 && micros < 253_402_300_800e6

function byUtf8(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(byUtf8).join(',')}]`
  const members = Object.entries(value).sort(([a], [b]) => compareCodePoints(a, b))
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${byUtf8(item)}`).join(',')}}`
}

/** UTF-8 keeps the order of code points. */
function compareCodePoints(a: string, b: string): number {
  let at = 0
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  const low = (text: string, index: number) => (text.charCodeAt(index) & 0xfc00) === 0xdc00
  // Two that part at their second halves share the first.
  if (at > 0 && low(a, at) && low(b, at)) at -= 1
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}
