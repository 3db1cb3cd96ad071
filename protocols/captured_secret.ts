/** Secrets as attackers send them, and the forms in which we write them down. */
import { ProtocolError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { type Fields, fieldText } from './record_data.ts'

/** A secret in the two forms that log lines carry. */
export interface EncodedSecret {
  /** for display: printable ASCII kept, `?` for every other byte */
  readonly secret_printable: string
  /** the exact bytes, standard base64 with padding */
  readonly secret_b64: string
}

/**
 * @param secret text is taken as UTF-8
 * @example encodeSecret('café') // { secret_printable: 'caf??', secret_b64: 'Y2Fmw6k=' }
 */
export function encodeSecret(secret: string | Uint8Array): EncodedSecret {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret)
  return { secret_printable: printable(bytes), secret_b64: bytes.toString('base64') }
}

/** @returns bytes 0x20 to 0x7E as they are, `?` for each other */
export const printable = (bytes: Buffer): string => bytes.toString('latin1').replace(/[^ -~]/g, '?')

/**
 * Decodes base64 strictly: its 64 characters, padded to a multiple of four.
 * @throws {ProtocolError} `BAD_SECRET`
 * @see RFC 4648 section 4
 */
export function decodeSecret(base64: string): Buffer {
  const bytes = strictBase64(base64)
  if (!bytes) throw new ProtocolError('BAD_SECRET', `not base64: ${quote(base64, 16)}`)
  return bytes
}

/** As `decodeSecret`, for those who can do without. */
export const secretBytes = (base64: string): Buffer | undefined => strictBase64(base64)

/**
 * Whose secret it is, by the fields of a log record. Old emitters print a missing principal as `None`;
 * a user of that name is in `username` as well.
 * @returns null where the service knows no users, or was told none
 */
export function principalOf(fields: Fields): string | null {
  const username = fieldText(fields, 'username')
  const principal = fieldText(fields, 'principal') ?? username
  return principal === 'None' && username !== 'None' ? null : principal || null
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function strictBase64(text: string): Buffer | undefined {
  return text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}

/** A secret that something else named a place for, with what it is and whose. */
export interface CapturedSecret extends EncodedSecret {
  readonly principal?: string
  readonly secret_kind: 'plaintext' | 'http_bearer' | 'http_digest_md5'
}

/** Of a longer header or body only this many characters are read. */
const MAX_LENGTH = 64 * 1024
const DIGEST_PARAM = /([A-Za-z]{1,32})\s?=\s?(?:"([^"]*)"|([^\s,]*))/g

/**
 * Reads an HTTP `Authorization` header.
 * @returns undefined for a scheme we do not know and for values that break their scheme
 * @see RFC 9110 section 11.6.2; RFC 7617 (Basic), RFC 6750 (Bearer), RFC 7616 (Digest)
 */
export function secretFromAuthorization(header: string): CapturedSecret | undefined {
  const text = header.slice(0, MAX_LENGTH).trim()
  const blank = text.indexOf(' ')
  if (blank === -1) return undefined
  const credentials = text.slice(blank + 1).trimStart()
  switch (text.slice(0, blank).toLowerCase()) {
    case 'basic': {
      const bytes = strictBase64(credentials)
      const colon = bytes?.indexOf(':') ?? -1
      if (!bytes || colon === -1) return undefined
      const principal = bytes.subarray(0, colon).toString('utf8')
      const secret = encodeSecret(bytes.subarray(colon + 1))
      return { principal, secret_kind: 'plaintext', ...secret }
    }
    case 'bearer':
    case 'token':
      return { secret_kind: 'http_bearer', ...encodeSecret(credentials) }
    case 'digest': {
      const params = new Map<string, string>()
      for (const [, name = '', quoted, bare] of credentials.matchAll(DIGEST_PARAM)) {
        params.set(name.toLowerCase(), quoted ?? bare ?? '')
      }
      const response = params.get('response')
      if (!response) return undefined
      const principal = params.get('username')
      const digest = { secret_kind: 'http_digest_md5', ...encodeSecret(response) } as const
      return principal === undefined ? digest : { principal, ...digest }
    }
    default:
      return undefined
  }
}

const PRINCIPAL_KEYS = 'username user email login userid account log user_login uname pma_username'
const SECRET_KEYS = 'password pass pwd passwd passwort mot_de_passe user_password pma_password'

/**
 * Reads a login form. Keys in any case; the first value of a key counts, and the first key of the
 * lists above that is there.
 * @param contentType the request's `Content-Type`
 * @returns undefined for another type of body and for one without a secret
 */
export function secretFromForm(contentType: string, body: string): CapturedSecret | undefined {
  if (!contentType.toLowerCase().startsWith('application/x-www-form-urlencoded')) return undefined
  const values = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(body.slice(0, MAX_LENGTH))) {
    const name = key.toLowerCase()
    if (!values.has(name)) values.set(name, value)
  }
  const first = (keys: string) => values.get(keys.split(' ').find((key) => values.has(key)) ?? '')
  const secret = first(SECRET_KEYS)
  if (secret === undefined) return undefined
  const principal = first(PRINCIPAL_KEYS)
  const encoded = { secret_kind: 'plaintext', ...encodeSecret(secret) } as const
  return principal === undefined ? encoded : { principal, ...encoded }
}
