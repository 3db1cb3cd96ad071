/** The delegated files of the regional registries, as they lie on this host. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../engine/index.ts'
import { delegatedRanges } from '../protocols/delegated_ranges.ts'
import { fileState, type Watched, watchedRanges } from './watched_ranges.ts'

const FILES = ['arin.txt', 'ripe.txt', 'apnic.txt', 'lacnic.txt', 'afrinic.txt']

/**
 * Countries of addresses; the files are read again when one of them has changed.
 * @param folder one that is not there, or holds none of the files, knows no country
 * @returns a function that gives a look-up for the files as they are now
 */
export const countryFiles = (folder: string, log: Context['log']): Watched<string> =>
  watchedRanges(
    () => allThere(folder),
    async (paths) =>
      delegatedRanges(await Promise.all(paths.map((path) => readFile(path, 'latin1')))),
    (why) =>
      log.warn({ folder, why }, 'the country files cannot be read; countries stay as they were'),
  )

async function allThere(folder: string) {
  const paths = FILES.map((name) => join(folder, name))
  const states = await Promise.all(paths.map(fileState))
  return { paths: paths.filter((_, index) => states[index] !== ''), state: states.join(' ') }
}
