/** The certificate a server shows in clear, which is up to TLS 1.2. */
import { hash } from 'node:crypto'
import { type DerNode, derChildren, derOid, derTag, derText, readDer } from '../asn1/der.ts'
import { u24 } from '../big_endian.ts'
import { subjectAltNames } from './subject_alt_names.ts'

/** What is kept of a certificate. All text may hold any character; sinks escape it. */
export interface Certificate {
  /** The first commonName of the subject, or `''`. */
  readonly subjectCn: string
  /** `CN=…, O=…` in the order of the certificate; a name without a short form is its dotted OID. */
  readonly issuer: string
  /** The subject has a commonName, and the issuer's is the same. */
  readonly selfSigned: boolean
  /** As it is in the certificate: `260101000000Z`, or with four digits of year from 2050 on. */
  readonly notBefore: string
  readonly notAfter: string
  /** DNS names and IP addresses, in the order of the certificate. */
  readonly sans: readonly string[]
  /** lower-case hex of the SHA-256 of the DER */
  readonly sha256: string
}

/**
 * Where the first certificate of a Certificate message is, the server's own.
 * @param start of the body of the message
 * @returns `undefined` if the list is empty or a length does not fit
 * @see RFC 5246 section 7.4.2
 */
export function leafCertificate(
  bytes: Uint8Array,
  start: number,
  end: number,
): { start: number; end: number } | undefined {
  if (start + 6 > end || start + 3 + u24(bytes, start) > end) return undefined
  const leaf = start + 6
  const leafEnd = leaf + u24(bytes, start + 3)
  return leafEnd > start + 3 + u24(bytes, start) || leafEnd === leaf
    ? undefined
    : { start: leaf, end: leafEnd }
}

/**
 * Reads the DER of an X.509 certificate, `bytes[start..end)`. Nothing is verified.
 * @returns `undefined` if it is not well formed as far as it is read
 * @see RFC 5280 section 4.1
 */
export function parseCertificate(
  bytes: Uint8Array,
  start: number,
  end: number,
): Certificate | undefined {
  const whole = readDer(bytes, start, end)
  if (whole?.tag !== derTag.sequence || whole.end !== end) return undefined
  const body = readDer(bytes, whole.start, whole.end)
  const fields = body?.tag === derTag.sequence && derChildren(bytes, body)
  if (!fields) return undefined
  // Version 1 certificates do not say so: the field is left out.
  const first = fields[0]?.tag === EXPLICIT_0 ? 1 : 0
  const [, , issuerNode, validity, subjectNode, , ...optional] = fields.slice(first)
  const issuer = issuerNode && nameOf(bytes, issuerNode)
  const subject = subjectNode && nameOf(bytes, subjectNode)
  const times = validity?.tag === derTag.sequence ? derChildren(bytes, validity) : undefined
  const [notBefore, notAfter] = times ?? []
  if (!issuer || !subject || !isTime(notBefore) || !isTime(notAfter)) return undefined
  const sans = subjectAltNames(bytes, optional)
  if (!sans) return undefined
  const subjectCn = commonName(subject)
  return {
    subjectCn,
    issuer: issuer.map(([name, value]) => `${name}=${value}`).join(', '),
    selfSigned: subjectCn !== '' && subjectCn === commonName(issuer),
    notBefore: derText(bytes, notBefore),
    notAfter: derText(bytes, notAfter),
    sans,
    sha256: hash('sha256', bytes.subarray(start, end)),
  }
}

const EXPLICIT_0 = 0xa0

/** RFC 4519 section 2 */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
}

type Name = readonly (readonly [attribute: string, value: string])[]

const commonName = (name: Name): string => name.find(([attribute]) => attribute === 'CN')?.[1] ?? ''

const isTime = (node: DerNode | undefined): node is DerNode =>
  node?.tag === derTag.utcTime || node?.tag === derTag.generalizedTime

/** A distinguished name: a sequence of sets of (attribute, value). RFC 5280 section 4.1.2.4 */
function nameOf(bytes: Uint8Array, node: DerNode): Name | undefined {
  const sets = node.tag === derTag.sequence && derChildren(bytes, node)
  if (!sets) return undefined
  const name: [string, string][] = []
  for (const set of sets) {
    const pairs = set.tag === derTag.set && derChildren(bytes, set)
    if (!pairs) return undefined
    for (const pair of pairs) {
      const [type, value] = (pair.tag === derTag.sequence && derChildren(bytes, pair)) || []
      const oid = type?.tag === derTag.oid && derOid(bytes, type)
      if (!oid || !value) return undefined
      name.push([ATTRIBUTES[oid] ?? oid, derText(bytes, value)])
    }
  }
  return name
}
