/** The names a certificate is for, from its extensions. */
import { type DerNode, derChildren, derOid, derTag, derText, readDer } from '../asn1/der.ts'
import { u16 } from '../big_endian.ts'
import { parseIp } from '../ip_address.ts'

const EXTENSIONS = 0xa3
const SUBJECT_ALT_NAME = '2.5.29.17'
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/**
 * DNS names as they are and IP addresses as RFC 5952 spells them, in the order of the certificate;
 * other kinds of name are left out.
 * @param fields what follows the public key in a certificate
 * @returns `[]` if there is no such extension, `undefined` if the extensions are not well formed
 * @see RFC 5280 section 4.2.1.6
 */
export function subjectAltNames(
  bytes: Uint8Array,
  fields: readonly DerNode[],
): string[] | undefined {
  const field = fields.find(({ tag }) => tag === EXTENSIONS)
  if (!field) return []
  const list = readDer(bytes, field.start, field.end)
  const extensions = list?.tag === derTag.sequence && derChildren(bytes, list)
  if (!extensions) return undefined
  for (const extension of extensions) {
    // Between them there may be a boolean: whether the extension is critical.
    const parts = derChildren(bytes, extension)
    const [type, value] = [parts?.[0], parts?.at(-1)]
    if (type?.tag !== derTag.oid || value?.tag !== derTag.octetString) return undefined
    if (derOid(bytes, type) === SUBJECT_ALT_NAME) return namesIn(bytes, value)
  }
  return []
}

function namesIn(bytes: Uint8Array, value: DerNode): string[] | undefined {
  const list = readDer(bytes, value.start, value.end)
  const names = list?.tag === derTag.sequence && derChildren(bytes, list)
  if (!names) return undefined
  return names.flatMap((name) => {
    if (name.tag === DNS_NAME) return [derText(bytes, name)]
    const address = name.tag === IP_ADDRESS ? addressText(bytes, name) : undefined
    return address === undefined ? [] : [address]
  })
}

function addressText(bytes: Uint8Array, { start, end }: DerNode): string | undefined {
  if (end - start === 4) return bytes.subarray(start, end).join('.')
  if (end - start !== 16) return undefined
  const groups: string[] = []
  for (let at = start; at < end; at += 2) groups.push(u16(bytes, at).toString(16))
  return parseIp(groups.join(':'))
}
