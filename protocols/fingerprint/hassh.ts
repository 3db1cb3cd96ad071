/** HASSH: an SSH client or server as the MD5 of the algorithms it proposes. */
import { hash } from 'node:crypto'
import type { KexInit } from '../ssh/kexinit.ts'

export interface Hassh {
  /** 32 hex digits: the MD5 of `raw` */
  readonly hassh: string
  /** `kex;encryption;mac;compression`, the name-lists as they were sent */
  readonly raw: string
}

/** Fingerprints a client by what it proposes for the way to the server. */
export const hassh = (kex: KexInit): Hassh =>
  fingerprint(kex.kex, kex.encryptionC2s, kex.macC2s, kex.compressionC2s)

/** Fingerprints a server by what it proposes for the way to the client. */
export const hasshServer = (kex: KexInit): Hassh =>
  fingerprint(kex.kex, kex.encryptionS2c, kex.macS2c, kex.compressionS2c)

function fingerprint(...lists: readonly string[]): Hassh {
  const raw = lists.join(';')
  // A character stands for a byte (see KexInit), and it is the bytes that are hashed.
  return { hassh: hash('md5', Buffer.from(raw, 'latin1')), raw }
}
