/** Secrets as the database holds them: sealed, so that whoever reads rows cannot sign with them. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { defineResource, FatalError, freshEpoch } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { StoreError } from './errors.ts'

const FORM = 'gcm1'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Characters of a key that somebody chose, at least. */
const SHORTEST_KEY = 32
/** Name of the key file in the state directory. */
const KEY_FILE = 'secret.key'

/** Seals and opens text with one key. */
export interface SecretBox {
  /**
   * @param owner what the secret belongs to, e.g. the uuid of its row: it opens only for the same,
   *   so that one who may write rows cannot move a secret from one to another
   */
  seal(text: string, owner: string): string
  /** @throws {StoreError} `SECRET_KEY` when it was sealed with another key, for another owner, or changed */
  open(sealed: string, owner: string): string
}

/** What components ask the engine for: `await context.use(secretBox)`. */
export const secretBox = defineResource<SecretBox>('secret_box')

/** @param key any text; all of its entropy counts */
export function makeSecretBox(key: string): SecretBox {
  const bytes = Buffer.from(hkdfSync('sha256', key, '', 'decnet secret box', KEY_BYTES))
  // Tells "another key" from "changed"; says nothing of the key.
  const name = createHash('sha256').update('name').update(bytes).digest('hex').slice(0, 8)
  return {
    seal(text, owner) {
      const nonce = randomBuffer(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(owner))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      const parts = [nonce, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))
      return [FORM, name, ...parts].join('.')
    },
    open(sealed, owner) {
      const [form, sealedBy, ...parts] = sealed.split('.')
      const [nonce, text, tag] = parts.map((part) => Buffer.from(part, 'base64url'))
      if (form !== FORM || nonce?.length !== NONCE_BYTES || !text || tag?.length !== TAG_BYTES) {
        throw new StoreError('SECRET_KEY', 'the stored secret is damaged; set a new one')
      }
      if (sealedBy !== name) {
        const message = `the secret was sealed with another key than the one in use (${quote(String(sealedBy), 16)}, not ${name}): give that key back or set a new secret`
        throw new StoreError('SECRET_KEY', message)
      }
      const cipher = createDecipheriv('aes-256-gcm', bytes, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(owner)).setAuthTag(tag)
      try {
        return cipher.update(text, undefined, 'utf8') + cipher.final('utf8')
      } catch (cause) {
        const message = 'the stored secret was changed or belongs to another row; set a new one'
        throw new StoreError('SECRET_KEY', message, { cause })
      }
    },
  }
}

/**
 * The box of this host.
 * @param key `DECNET_SECRET_KEY`, if it is set; else the key is in `secret.key` of `stateDir`, which
 *   is made at the first need, for its owner only
 * @throws {FatalError} `SECRET_KEY` on a key that is too short, or a file that others may read
 */
export function openSecretBox(key: string | undefined, stateDir: string): SecretBox {
  if (key === undefined || key === '') return makeSecretBox(keyOfFile(stateDir))
  if (key.length >= SHORTEST_KEY) return makeSecretBox(key)
  const message = `DECNET_SECRET_KEY has less than ${SHORTEST_KEY} characters`
  throw new FatalError('SECRET_KEY', message)
}

function keyOfFile(stateDir: string): string {
  const path = join(stateDir, KEY_FILE)
  const shown = quote(path, 500)
  const status = statSync(path, { throwIfNoEntry: false }) ?? madeAt(path, stateDir)
  if ((status.mode & 0o077) !== 0) {
    throw new FatalError('SECRET_KEY', `${shown} may be read by others: chmod 600 it`)
  }
  const key = readFileSync(path, 'utf8').trim()
  if (key.length >= SHORTEST_KEY) return key
  throw new FatalError('SECRET_KEY', `${shown} has less than ${SHORTEST_KEY} characters`)
}

/** Whole or not at all, and whoever comes second uses what the first has made. */
function madeAt(path: string, stateDir: string) {
  mkdirSync(stateDir, { recursive: true })
  const draft = `${path}.${freshEpoch()}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${randomBuffer(KEY_BYTES).toString('base64url')}\n`)
    fsyncSync(file)
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    unlinkSync(draft)
  }
  return statSync(path)
}

/** @returns `count` random bytes */
export function randomBuffer(count: number): Buffer {
  const epochs = Array.from({ length: Math.ceil(count / 8) }, freshEpoch)
  return Buffer.from(epochs.join(''), 'hex').subarray(0, count)
}
