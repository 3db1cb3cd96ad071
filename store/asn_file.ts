/** The table of autonomous systems, as it lies on this host. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Context } from '../engine/index.ts'
import { type AsnRanges, asnOf, asnRanges } from '../protocols/asn_ranges.ts'
import { quote } from '../protocols/quote.ts'

/** As it is downloaded, or unpacked; the first that is there. */
const FILES = ['ip2asn-v4.tsv', 'ip2asn-v4.tsv.gz']
/** Of the file, and of what is in it. */
const MAX_BYTES = 256 * 2 ** 20

/**
 * Numbers of autonomous systems of addresses; the file is read again when it has changed.
 * @param folder one that is not there, or does not hold the file, knows none
 * @returns a function that gives a look-up for the file as it is now
 */
export function asnFile(
  folder: string,
  log: Context['log'],
): () => Promise<(ip: string) => number | undefined> {
  let seen = ''
  let ranges: AsnRanges = asnRanges('')
  const lookUp = (ip: string) => asnOf(ranges, ip)
  return async () => {
    const found = await firstThere(folder)
    if (found.state === seen) return lookUp
    seen = found.state
    try {
      ranges = asnRanges(found.path === undefined ? '' : await textOf(found.path))
    } catch (error) {
      const why = quote(error instanceof Error ? error.message : String(error), 200)
      log.warn({ folder, why }, 'the table of networks cannot be read; it stays as it was')
    }
    return lookUp
  }
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path)
  if (!path.endsWith('.gz')) return bytes.toString('latin1')
  const unpacked = await promisify(gunzip)(bytes, { maxOutputLength: MAX_BYTES })
  return unpacked.toString('latin1')
}

/** @returns no path where no file is there, or only one too large to be it */
async function firstThere(folder: string): Promise<{ path?: string; state: string }> {
  for (const path of FILES.map((name) => join(folder, name))) {
    try {
      const { mtimeMs, size, ino } = await stat(path)
      if (size <= MAX_BYTES) return { path, state: `${path}/${mtimeMs}/${size}/${ino}` }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
  }
  return { state: '' }
}
