/** What the sniffer and the prober add about those who came. */
import { deckies } from '../deckies.ts'
import { type LogBook, MINUTE, START } from '../log_book.ts'
import { random } from '../random.ts'

const visitors = [
  ['198.51.100.7', 'web-01', 22, 'SSH-2.0-libssh2_1.10.0', 12],
  ['203.0.113.9', 'db-07', 22, 'SSH-2.0-Go', 65],
  ['198.51.100.23', 'files-02', 22, 'SSH-2.0-libssh2_1.10.0', 140],
  ['203.0.113.77', 'web-01', 22, 'SSH-2.0-paramiko_3.4.0', 38],
  ['203.0.113.150', 'web-01', 22, 'SSH-2.0-OpenSSH_9.2p1 Debian-2', 182],
  ['203.0.113.150', 'files-02', 22, 'SSH-2.0-OpenSSH_9.2p1 Debian-2', 214],
  ['203.0.113.150', 'db-07', 22, 'SSH-2.0-OpenSSH_9.2p1 Debian-2', 251],
  ['2001:db8:5ca1::7', 'web-01', 22, 'SSH-2.0-Go', 210],
  ['2001:db8:5ca1::80', 'shop-03', 443, undefined, 240],
  ['198.51.100.33', 'shop-03', 443, undefined, 50],
] as const

/** Each visitor keeps one stack, so its fingerprints are equal wherever it is seen. */
export function sniffer(log: LogBook): void {
  for (const [src_ip, decky, dst_port, banner, minute] of visitors) {
    const stack = random(`stack ${src_ip}`)
    const [ttl, ja3, ja4] = [stack.between(44, 58), stack.hex(32), `t13d1516h2_${stack.hex(12)}`]
    const dice = random(`sniffer ${src_ip} ${decky}`)
    let at = START + minute * MINUTE
    for (let flow = 0; flow < 12; flow += 1) {
      const ends = {
        src_ip,
        src_port: dice.between(32768, 60999),
        dst_ip: deckies[decky].ip,
        dst_port,
      }
      const see = (after: number, type: string, params: Record<string, string | number>) =>
        log.event(at + after, decky, 'sniffer', type, { ...ends, ...params })
      see(0, 'tcp_syn_fingerprint', {
        ttl,
        initial_ttl: 64,
        hop_distance: 64 - ttl,
        window: 64240,
        mss: 1460,
        wscale: 7,
        options_sig: 'M,S,T,N,W',
        has_sack: 'true',
        has_timestamps: 'true',
        tos: 0,
        dscp: 0,
        ecn: 0,
        ipid_class: 'zero',
        ipid_samples: 4,
        isn_class: 'random',
        isn_samples: 4,
        os_guess: 'linux',
      })
      if (banner) see(4000, 'ssh_client_banner', { ssh_version: banner })
      else {
        see(4000, 'tls_client_hello', {
          ja3,
          ja4,
          tls_version: 'TLS 1.3',
          sni: 'shop.example',
          alpn: 'h2,http/1.1',
          raw_ciphers: '4865-4866-4867',
          raw_extensions: '0-23-65281',
        })
      }
      see(2_500_000, 'tcp_flow_timing', {
        packets: dice.between(8, 400),
        bytes: dice.between(900, 60_000),
        duration_s: '2.5',
        mean_iat_ms: '151.82',
        min_iat_ms: '0.11',
        max_iat_ms: '900.0',
        retransmits: dice.below(3),
      })
      at += dice.gap(310_000)
    }
  }
}

export function prober(log: LogBook): void {
  for (const [target_ip, , , , minute] of visitors) {
    const stack = random(`probed ${target_ip}`)
    const at = START + (minute + 2) * MINUTE
    const target = { target_ip, target_port: 22 }
    const banner = 'SSH-2.0-OpenSSH_9.2p1'
    log.event(at, 'decnet-prober', 'prober', 'hassh_fingerprint', {
      ...target,
      hassh_server_hash: stack.hex(32),
      ssh_banner: banner,
      kex_algorithms: 'curve25519-sha256,ecdh-sha2-nistp256',
      encryption_s2c: 'aes128-ctr',
      mac_s2c: 'hmac-sha2-256',
      compression_s2c: 'none',
    })
    const hash = stack.hex(32)
    const message = `TCPFP ${target_ip}:22 = ${hash.slice(0, 8)}`
    const seen = { ttl: 54, window_size: 64240, df_bit: 1, mss: 1460, window_scale: 7, sack_ok: 1 }
    log.event(
      at + 900_000,
      'decnet-prober',
      'prober',
      'tcpfp_fingerprint',
      { ...target, tcpfp_hash: hash, ...seen },
      { message },
    )
  }
}
