/** What the tests of credentials share. */
import { createHash } from 'node:crypto'

/** @returns the hash of a secret as events carry it */
export const sha = (secret: string): string => createHash('sha256').update(secret).digest('hex')
