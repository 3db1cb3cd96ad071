/** The signatures that a user has given: part of the configuration, read once at the start. */
import { readFileSync, statSync } from 'node:fs'
import { EngineError } from '../engine/index.ts'
import { type P0fDatabase, readP0fDatabase } from '../protocols/fingerprint/p0f_database.ts'
import { quote } from '../protocols/quote.ts'

/** Bytes of a file that are read; p0f's own has some 30,000. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * @param path of a file in the format of p0f 3
 * @throws {EngineError} `P0F_FILE` where it cannot be read, or holds no signature of a SYN
 */
export function readSignatureFile(path: string): P0fDatabase {
  let text: string
  try {
    const { size } = statSync(path)
    if (size > MOST_BYTES) throw new Error(`${size} bytes are too many`)
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('P0F_FILE', `cannot read ${quote(path)}: ${quote(why, 200)}`, { cause })
  }
  const database = readP0fDatabase(text)
  if (database.request.size > 0) return database
  throw new EngineError('P0F_FILE', `${quote(path)} holds no [tcp:request] signature`)
}
