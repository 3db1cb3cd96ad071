/** The table of autonomous systems, as it lies on this host. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Context } from '../engine/index.ts'
import { asnRanges } from '../protocols/asn_ranges.ts'
import { fileState, MAX_FILE_BYTES, type Watched, watchedRanges } from './watched_ranges.ts'

/** As it is downloaded, or unpacked; the first that is there. */
const FILES = ['ip2asn-v4.tsv', 'ip2asn-v4.tsv.gz']

/**
 * Numbers of autonomous systems of addresses; the file is read again when it has changed.
 * @param folder one that is not there, or does not hold the file, knows none
 * @returns a function that gives a look-up for the file as it is now
 */
export const asnFile = (folder: string, log: Context['log']): Watched<number> =>
  watchedRanges(
    () => firstThere(folder),
    async ([path]) => asnRanges(path === undefined ? '' : await textOf(path)),
    (why) => log.warn({ folder, why }, 'the table of networks cannot be read; it stays as it was'),
  )

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path)
  if (!path.endsWith('.gz')) return bytes.toString('latin1')
  const unpacked = await promisify(gunzip)(bytes, { maxOutputLength: MAX_FILE_BYTES })
  return unpacked.toString('latin1')
}

/** No path where no file is there, or only one too large to be it. */
async function firstThere(folder: string) {
  for (const path of FILES.map((name) => join(folder, name))) {
    const state = await fileState(path)
    if (state !== '') return { paths: [path], state: `${path}/${state}` }
  }
  return { paths: [], state: '' }
}
