/** What the sniffer's fingerprints of a TLS client tell. */
import type { Fields } from '../record_data.ts'
import { type Find, fingerprint, longText, NOTHING, shortText } from './bounty.ts'

/** JA3 and its kin, latency, resumption, certificate; each where its field is. */
export function snifferFinds(fields: Fields): readonly Find[] {
  const { ja3, ja4l_rtt_ms, resumption, subject_cn } = fields
  if (!(ja3 || ja4l_rtt_ms || resumption || subject_cn)) return NOTHING
  const finds: Find[] = []
  if (shortText(ja3) !== null) {
    finds.push(
      fingerprint('ja3', {
        ja3: shortText(ja3),
        ja3s: shortText(fields.ja3s),
        ja4: shortText(fields.ja4),
        ja4s: shortText(fields.ja4s),
        tls_version: shortText(fields.tls_version),
        sni: shortText(fields.sni),
        alpn: shortText(fields.alpn),
        dst_port: shortText(fields.dst_port),
        raw_ciphers: longText(fields.raw_ciphers),
        raw_extensions: longText(fields.raw_extensions),
      }),
    )
  }
  if (shortText(ja4l_rtt_ms) !== null) {
    const client_ttl = shortText(fields.ja4l_client_ttl)
    finds.push(fingerprint('ja4l', { rtt_ms: shortText(ja4l_rtt_ms), client_ttl }))
  }
  if (shortText(resumption) !== null) {
    finds.push(fingerprint('tls_resumption', { mechanisms: shortText(resumption) }))
  }
  if (shortText(subject_cn) !== null) {
    finds.push(
      fingerprint('tls_certificate', { ...certificate(fields), sni: shortText(fields.sni) }),
    )
  }
  return finds
}

/** What both the sniffer and the prober tell of a certificate. */
export const certificate = (fields: Fields) => ({
  subject_cn: shortText(fields.subject_cn),
  issuer: longText(fields.issuer),
  self_signed: shortText(fields.self_signed),
  not_before: shortText(fields.not_before),
  not_after: shortText(fields.not_after),
  sans: longText(fields.sans),
})
