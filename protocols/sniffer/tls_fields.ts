/** The fields of hello events, by their wire names; all text. */
import { ja3, ja3s } from '../fingerprint/ja3.ts'
import { ja4 } from '../fingerprint/ja4.ts'
import { type ClientHello, offeredVersion, resumptionNames } from '../tls/client_hello.ts'
import { negotiatedVersion, type ServerHello } from '../tls/server_hello.ts'
import { tlsVersionName } from '../tls/version_names.ts'

/** What a ClientHello tells of who sent it. */
export interface ClientFields {
  readonly ja3: string
  readonly ja3_raw: string
  readonly ja4: string
  /** the highest that is offered */
  readonly tls_version: string
  readonly sni: string
  /** the whole offer, comma-joined */
  readonly alpn: string
  readonly raw_ciphers: string
  readonly raw_extensions: string
  readonly resumption?: string
}

/** @param transport `t` for TCP, `q` for QUIC */
export function clientFields(hello: ClientHello, transport: 't' | 'q'): ClientFields {
  const { ja3: digest, raw, ciphers, extensions } = ja3(hello)
  const resumption = resumptionNames(hello).join(',')
  return {
    ja3: digest,
    ja3_raw: raw,
    ja4: ja4(hello, transport).ja4,
    tls_version: tlsVersionName(offeredVersion(hello)),
    sni: hello.sni,
    alpn: hello.alpn.join(','),
    raw_ciphers: ciphers,
    raw_extensions: extensions,
    ...(resumption === '' ? {} : { resumption }),
  }
}

/** What a ServerHello and the ClientHello that it answers, if that was seen, tell of a session. */
export function sessionFields(hello: ServerHello, client: ClientFields | undefined) {
  const { ja3s: digest, raw } = ja3s(hello)
  const { tls_version: _offered, ...known } = client ?? { tls_version: '' }
  return {
    ja3s: digest,
    ja3s_raw: raw,
    tls_version: tlsVersionName(negotiatedVersion(hello)),
    ...known,
  }
}
