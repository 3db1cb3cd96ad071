/** Ranges of addresses in files of this host, read again when the files change. */
import { stat } from 'node:fs/promises'
import { type Ipv4Ranges, valueAt } from '../protocols/ipv4_ranges.ts'
import { quote } from '../protocols/quote.ts'

/** Of a file that is read whole, and of what is packed in it. */
export const MAX_FILE_BYTES = 256 * 2 ** 20

type LookUp<T> = (ip: string) => T | undefined

/** Gives a look-up for the files as they are now. */
export type Watched<T> = () => Promise<LookUp<T>>

/**
 * @param find the files there are, and a text that another one takes the place of when they change
 * @param read is given what `find` found; none makes ranges that know nothing
 * @param failed is told why they could not be read, 200 characters at most; they stay as they were
 */
export function watchedRanges<T>(
  find: () => Promise<{ readonly paths: readonly string[]; readonly state: string }>,
  read: (paths: readonly string[]) => Promise<Ipv4Ranges<T>>,
  failed: (why: string) => void,
): Watched<T> {
  let seen = ''
  let ranges: Ipv4Ranges<T> | undefined
  const lookUp: LookUp<T> = (ip) => (ranges === undefined ? undefined : valueAt(ranges, ip))
  return async () => {
    const { paths, state } = await find()
    if (state === seen) return lookUp
    seen = state
    try {
      ranges = await read(paths)
    } catch (error) {
      failed(quote(error instanceof Error ? error.message : String(error), 200))
    }
    return lookUp
  }
}

/** @returns empty for a file that is not there, or too large to be one */
export async function fileState(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return size > MAX_FILE_BYTES ? '' : `${mtimeMs}/${size}/${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return ''
    throw error
  }
}

/** @returns what is known of each of the addresses, without those that nothing is known of */
export async function answersOf<T>(
  current: Watched<T>,
  ips: readonly string[],
): Promise<ReadonlyMap<string, T>> {
  const lookUp = await current()
  const answers = new Map<string, T>()
  for (const ip of ips) {
    const answer = lookUp(ip)
    if (answer !== undefined) answers.set(ip, answer)
  }
  return answers
}
