/** Names a line of a file by what cannot change when it is read again: where it stands, and in what. */
import { hash } from 'node:crypto'

/** How much of a file's first line goes into its fingerprint. */
export const FINGERPRINT_BYTES = 1024

/**
 * Tells one file from another that has taken its name or its inode.
 * @param source id of the source in its pipeline
 * @param generation how many files the source had read before this one
 * @param firstLine the first line of the file, or its first `FINGERPRINT_BYTES` characters
 * @returns 16 lower-case hex characters
 */
export function fileFingerprint(source: string, generation: number, firstLine: string): string {
  const head = firstLine.slice(0, FINGERPRINT_BYTES)
  return hash('sha256', `${source}\0${generation}\0${head}`, 'hex').slice(0, 16)
}

/** @returns the event id of the line that starts `offset` bytes into the file, 32 hex characters */
export function lineId(fingerprint: string, offset: number): string {
  const hex = offset.toString(16)
  return fingerprint + (ZEROS[hex.length] ?? '') + hex
}

/** What stands before so many hex characters. */
const ZEROS = Array.from({ length: 17 }, (_, digits) => '0'.repeat(16 - digits))
