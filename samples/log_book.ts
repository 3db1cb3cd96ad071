/** Collects the lines deckies write, in DECNET's RFC 5424 form (spec/log-format.md section 1). */

/** Microseconds since the epoch at which the sample begins: 2026-03-01T00:00:00Z. */
export const START = Date.UTC(2026, 2, 1) * 1000
export const SECOND = 1_000_000
export const MINUTE = 60 * SECOND

/** Values of a structured-data element; an undefined one is left out. */
export type Params = Readonly<Record<string, string | number | undefined>>

interface LineOptions {
  /** 6, informational, unless said otherwise */
  readonly severity?: number
  readonly message?: string
}

export class LogBook {
  readonly #entries: { readonly at: number; readonly line: string }[] = []

  /** A line of a decky's service. `at` is in microseconds since the epoch. */
  event(
    at: number,
    decky: string,
    service: string,
    type: string,
    params: Params = {},
    { severity = 6, message }: LineOptions = {},
  ): void {
    const header = `<${16 * 8 + severity}>1 ${timestamp(at)} ${decky} ${service} - ${type}`
    this.raw(at, [header, element(params), message].filter((part) => part !== undefined).join(' '))
  }

  /** A line of a native daemon, which DECNET's noise filter knows by its name. */
  daemon(at: number, decky: string, name: string, pid: number, message: string): void {
    this.raw(at, `<38>1 ${timestamp(at)} ${decky} ${name} ${pid} - - ${message}`)
  }

  /** A shell command as SSH containers log it: `logger --rfc5424` inside rsyslog. */
  command(at: number, decky: string, fields: string): void {
    const quality = '[timeQuality tzKnown="1" isSynced="1" syncAccuracy="41000"]'
    const inner = `${timestamp(at - 100)} ${decky} bash - command ${quality} CMD ${fields}`
    this.raw(at, `<14>1 ${timestamp(at)} ${decky} 1 - - -  ${inner}`)
  }

  raw(at: number, line: string): void {
    this.#entries.push({ at, line })
  }

  /** All lines by time; those of one instant in the order they were written. */
  lines(): string[] {
    return this.#entries.toSorted((a, b) => a.at - b.at).map(({ line }) => line)
  }
}

/** Microseconds as RFC 5424 writes them, in UTC. */
export function timestamp(micros: number): string {
  const [seconds] = new Date(Math.floor(micros / 1000)).toISOString().split('.')
  return `${seconds}.${String(micros % SECOND).padStart(6, '0')}+00:00`
}

function element(params: Params): string {
  const parts = Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
  return parts.length === 0 ? '-' : `[relay@55555${parts.join('')}]`
}

// What emitters must do (spec/log-format.md section 1): controls become `?`, then one pass of
// escapes.
const escaped = (text: string): string =>
  [...text]
    .map((char) =>
      char < ' ' || char === '\x7f' ? '?' : '\\"]'.includes(char) ? `\\${char}` : char,
    )
    .join('')

/** A secret in the two forms every credential event carries. */
export function secret(text: string): Params {
  const bytes = Buffer.from(text)
  const printable = [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?',
  )
  return { secret_printable: printable.join(''), secret_b64: bytes.toString('base64') }
}

/** A secret that is bytes, not text: a response to a challenge. */
export function binarySecret(kind: string, hex: string): Params {
  return {
    secret_kind: kind,
    secret_printable: hex,
    secret_b64: Buffer.from(hex, 'hex').toString('base64'),
  }
}
