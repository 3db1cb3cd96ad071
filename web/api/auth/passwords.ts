/** Passwords: hashed and compared off the main thread, a few at a time. */
import { compare, hash } from 'bcrypt'
import { ApiError } from '../api_error.ts'

const COST = 12
/** Of what is longer bcrypt reads no more, so two passwords could be one. */
export const PASSWORD_MAX_BYTES = 72
export const PASSWORD_MIN = 12

/** A comparison is a quarter of a second of one core, and the threads are shared with the disk. */
const AT_ONCE = 2
/** Those who wait for one beyond this are sent away. */
const MOST_WAITING = 64

/** Of a random text that was thrown away; for names that nobody has, so that they take as long as others. */
const NOBODY = '$2b$12$ywmVRXalkSmfiGMOC8eb7O7fXoF/xA.xh4aXCvEVAbQXE8iOHLEiS'

let working = 0
const waiting: (() => void)[] = []

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (working >= AT_ONCE) {
    if (waiting.length >= MOST_WAITING) throw new ApiError(429, 'Too many logins at once')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else working += 1
  try {
    return await work()
  } finally {
    // The place is handed on as it is.
    const next = waiting.shift()
    if (next) next()
    else working -= 1
  }
}

export const isTooLong = (password: string): boolean =>
  Buffer.byteLength(password) > PASSWORD_MAX_BYTES

export const hashPassword = (password: string): Promise<string> =>
  inTurn(() => hash(password, COST))

/** @param stored undefined: nobody has that name; it takes as long */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const tooLong = isTooLong(password)
  const matches = await inTurn(() => compare(tooLong ? '' : password, stored ?? NOBODY))
  return matches && stored !== undefined && !tooLong
}
