/** The delegated files of the regional registries, as they lie on this host. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../engine/index.ts'
import { type CountryRanges, countryOf, delegatedRanges } from '../protocols/delegated_ranges.ts'
import { quote } from '../protocols/quote.ts'

const FILES = ['arin.txt', 'ripe.txt', 'apnic.txt', 'lacnic.txt', 'afrinic.txt']
const MAX_BYTES = 256 * 2 ** 20

/**
 * Countries of addresses; the files are read again when one of them has changed.
 * @param folder one that is not there, or holds none of the files, knows no country
 * @returns a function that gives a look-up for the files as they are now
 */
export function countryFiles(
  folder: string,
  log: Context['log'],
): () => Promise<(ip: string) => string | undefined> {
  const paths = FILES.map((name) => join(folder, name))
  let seen = ''
  let ranges: CountryRanges = delegatedRanges([])
  const lookUp = (ip: string) => countryOf(ranges, ip)
  return async () => {
    const states = await Promise.all(paths.map(stateOf))
    const now = states.join(' ')
    if (now === seen) return lookUp
    seen = now
    try {
      const there = paths.filter((_, index) => states[index] !== '')
      ranges = delegatedRanges(await Promise.all(there.map((path) => readFile(path, 'latin1'))))
    } catch (error) {
      const why = quote(error instanceof Error ? error.message : String(error), 200)
      log.warn({ folder, why }, 'the country files cannot be read; countries stay as they were')
    }
    return lookUp
  }
}

/** @returns empty for a file that is not there, or too large to be one */
async function stateOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return size > MAX_BYTES ? '' : `${mtimeMs}/${size}/${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return ''
    throw error
  }
}
