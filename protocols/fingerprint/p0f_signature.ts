/** The text of a p0f v3 signature of a SYN or SYN-ACK, of a database or of a packet. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'
import { parseLayout, printLayout } from './p0f_layout.ts'
import { readNumber } from './p0f_number.ts'
import { parseQuirks, printQuirks, QUIRK } from './p0f_quirks.ts'

/** A signature as written; undefined stands for `*`. */
export interface P0fSignature {
  readonly ipVersion: 4 | 6 | undefined
  /** 1 to 255; 0 only in an observation */
  readonly ttl: number
  /** `initial` `64`; `random` `64-`; `observed` `57+7` */
  readonly ttlForm: 'initial' | 'random' | 'observed'
  /** of the form `observed`; undefined for `180+?` */
  readonly distance: number | undefined
  readonly ipOptionsLength: number
  readonly mss: number | undefined
  readonly window: P0fWindow
  readonly scale: number | undefined
  readonly optionKinds: readonly number[]
  readonly eolPadding: number
  /** see `QUIRK` */
  readonly quirks: number
  readonly payload: '0' | '+' | '*'
}

/** `any` `*`; `value` `8192`; `modulo` `%8192`; `mss` `mss*44`; `mtu` `mtu*4` */
export interface P0fWindow {
  readonly form: 'any' | 'value' | 'modulo' | 'mss' | 'mtu'
  /** 0 for `any` */
  readonly value: number
}

/** The text that `parseSignature` reads as this very signature. */
export function printSignature(sig: P0fSignature): string {
  const version = sig.ipVersion ?? '*'
  const mss = sig.mss ?? '*'
  const scale = sig.scale ?? '*'
  const layout = printLayout(sig.optionKinds, sig.optionKinds.length, sig.eolPadding)
  const quirks = printQuirks(sig.quirks)
  return `${version}:${printTtl(sig)}:${sig.ipOptionsLength}:${mss}:${printWindow(
    sig.window,
  )},${scale}:${layout}:${quirks}:${sig.payload}`
}

function printTtl({ ttl, ttlForm, distance }: P0fSignature): string {
  if (ttlForm === 'random') return `${ttl}-`
  return ttlForm === 'initial' ? `${ttl}` : `${ttl}+${distance ?? '?'}`
}

const WINDOW_PREFIX = { value: '', modulo: '%', mss: 'mss*', mtu: 'mtu*' } as const

const printWindow = ({ form, value }: P0fWindow): string =>
  form === 'any' ? '*' : `${WINDOW_PREFIX[form]}${value}`

/** Characters; 24 options and every quirk take 260. */
const LONGEST_TEXT = 400

/**
 * Reads a signature of a database, or one that p0f or we saw.
 * @throws {P0fError} `P0F_SIGNATURE`, saying which field is wrong
 * @see p0f README, section on TCP signatures
 */
export function parseSignature(text: string): P0fSignature {
  if (text.length > LONGEST_TEXT) {
    throw new P0fError('P0F_SIGNATURE', `over ${LONGEST_TEXT} characters: ${quote(text)}`)
  }
  const fields = text.split(':')
  const [ver = '', ttl = '', olen = '', mss = '', win = '', layout = '', quirks = ''] = fields
  const payload = fields[7]
  if (fields.length !== 8) {
    throw new P0fError('P0F_SIGNATURE', `${fields.length} fields where there should be 8`)
  }
  if (payload !== '0' && payload !== '+' && payload !== '*') {
    throw new P0fError('P0F_SIGNATURE', `payload class ${quote(payload ?? '')} is not 0, + or *`)
  }
  const [window = '', scale, ...more] = win.split(',')
  if (scale === undefined || more.length > 0) {
    throw new P0fError('P0F_SIGNATURE', `${quote(win)} is not a window and a scale`)
  }
  const { kinds, eolPadding } = parseLayout(layout)
  const ipVersion = parseVersion(ver)
  const bits = parseQuirks(quirks)
  const impossible = ipVersion === undefined ? 0 : bits & (ipVersion === 4 ? ONLY_IPV6 : ONLY_IPV4)
  if (impossible !== 0) {
    throw new P0fError('P0F_SIGNATURE', `IPv${ipVersion} has no ${printQuirks(impossible)}`)
  }
  return {
    ipVersion,
    ...parseTtl(ttl),
    ipOptionsLength: readNumber(olen, 'length of IP options', 0, 255),
    mss: mss === '*' ? undefined : readNumber(mss, 'MSS', 0, 65535),
    window: parseWindow(window),
    scale: scale === '*' ? undefined : readNumber(scale, 'window scale', 0, 255),
    optionKinds: kinds,
    eolPadding,
    quirks: bits,
    payload,
  }
}

const ONLY_IPV4 = QUIRK.df | QUIRK.nonZeroId | QUIRK.zeroId | QUIRK.reservedBit
const ONLY_IPV6 = QUIRK.flowLabel

function parseVersion(text: string): 4 | 6 | undefined {
  if (text === '*') return undefined
  if (text === '4') return 4
  if (text === '6') return 6
  throw new P0fError('P0F_SIGNATURE', `IP version ${quote(text)} is not 4, 6 or *`)
}

function parseTtl(text: string): Pick<P0fSignature, 'ttl' | 'ttlForm' | 'distance'> {
  const plus = text.indexOf('+')
  if (plus === -1) {
    const random = text.endsWith('-')
    const ttl = readNumber(random ? text.slice(0, -1) : text, 'TTL', 1, 255)
    return { ttl, ttlForm: random ? 'random' : 'initial', distance: undefined }
  }
  const ttl = readNumber(text.slice(0, plus), 'TTL', 0, 255)
  const far = text.slice(plus + 1)
  const distance = far === '?' ? undefined : readNumber(far, 'distance', 0, 255 - ttl)
  return { ttl, ttlForm: 'observed', distance }
}

function parseWindow(text: string): P0fWindow {
  if (text === '*') return { form: 'any', value: 0 }
  if (text.startsWith('%')) {
    return { form: 'modulo', value: readNumber(text.slice(1), 'window modulo', 2, 65535) }
  }
  const unit = text.slice(0, 4)
  if (unit === 'mss*' || unit === 'mtu*') {
    const value = readNumber(text.slice(4), `window ${unit}`, 1, 65535)
    return { form: unit === 'mss*' ? 'mss' : 'mtu', value }
  }
  return { form: 'value', value: readNumber(text, 'window', 0, 65535) }
}
