/** JA3 and JA3S: a TLS client, and the answer it got, as the MD5 of what their hellos list. */
import { hash } from 'node:crypto'
import type { ClientHello } from '../tls/client_hello.ts'
import type { ServerHello } from '../tls/server_hello.ts'

export interface Ja3 {
  /** 32 hex digits: the MD5 of `raw` */
  readonly ja3: string
  /** `version,ciphers,extensions,groups,pointformats`, decimal, each list joined by `-` */
  readonly raw: string
  /** The second field of `raw`. */
  readonly ciphers: string
  /** The third field of `raw`. */
  readonly extensions: string
}

/** Fingerprints a client; the version is the legacy one, as published before TLS 1.3. */
export function ja3(hello: ClientHello): Ja3 {
  const ciphers = hello.ciphers.join('-')
  const extensions = hello.extensions.join('-')
  const groups = hello.groups.join('-')
  const formats = hello.pointFormats.join('-')
  const raw = `${hello.legacyVersion},${ciphers},${extensions},${groups},${formats}`
  return { ja3: hash('md5', raw), raw, ciphers, extensions }
}

export interface Ja3s {
  /** 32 hex digits: the MD5 of `raw` */
  readonly ja3s: string
  /** `version,cipher,extensions`, decimal, the list joined by `-` */
  readonly raw: string
}

/** Fingerprints a server as it answers one client; the version is the legacy one. */
export function ja3s({ legacyVersion, cipher, extensions }: ServerHello): Ja3s {
  const raw = `${legacyVersion},${cipher},${extensions.join('-')}`
  return { ja3s: hash('md5', raw), raw }
}
