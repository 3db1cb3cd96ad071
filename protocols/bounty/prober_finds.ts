/** What our own probes of an attacker's host tell. */
import type { Fields } from '../record_data.ts'
import { type Find, fingerprint, longText, NOTHING, shortText } from './bounty.ts'
import { certificate } from './sniffer_finds.ts'

/** JARM, certificate, HASSHServer, TCP stack; each where its field is. */
export function proberFinds(fields: Fields): readonly Find[] {
  const { jarm_hash, subject_cn, hassh_server_hash, tcpfp_hash } = fields
  if (!(jarm_hash || subject_cn || hassh_server_hash || tcpfp_hash)) return NOTHING
  const target = {
    target_ip: shortText(fields.target_ip),
    target_port: shortText(fields.target_port),
  }
  const finds: Find[] = []
  if (shortText(jarm_hash) !== null) {
    finds.push(fingerprint('jarm', { hash: shortText(jarm_hash), ...target }))
  }
  if (shortText(subject_cn) !== null) {
    const cert_sha256 = shortText(fields.cert_sha256)
    finds.push(fingerprint('tls_certificate', { ...certificate(fields), cert_sha256, ...target }))
  }
  if (shortText(hassh_server_hash) !== null) {
    finds.push(
      fingerprint('hassh_server', {
        hash: shortText(hassh_server_hash),
        ...target,
        ssh_banner: shortText(fields.ssh_banner),
        kex_algorithms: longText(fields.kex_algorithms),
        encryption_s2c: longText(fields.encryption_s2c),
        mac_s2c: longText(fields.mac_s2c),
        compression_s2c: longText(fields.compression_s2c),
      }),
    )
  }
  if (shortText(tcpfp_hash) !== null) {
    finds.push(
      fingerprint('tcpfp', {
        hash: shortText(tcpfp_hash),
        raw: longText(fields.tcpfp_raw),
        ...target,
        ttl: shortText(fields.ttl),
        window_size: shortText(fields.window_size),
        df_bit: shortText(fields.df_bit),
        mss: shortText(fields.mss),
        window_scale: shortText(fields.window_scale),
        sack_ok: shortText(fields.sack_ok),
        timestamp: shortText(fields.timestamp),
        options_order: shortText(fields.options_order),
      }),
    )
  }
  return finds
}
