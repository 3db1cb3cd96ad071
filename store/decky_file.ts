/** The state file of the local fleet, looked at again and again. */
import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Context } from '../engine/index.ts'
import { deckiesOfState } from '../protocols/decky_state.ts'
import { quote } from '../protocols/quote.ts'

/**
 * The deckies of a file as it is now: read again when it has changed.
 * @param path undefined or empty: no file, no deckies
 * @returns a function that gives name by address, the same object as long as nothing changes; a file
 *   that is not there names none, and of one that cannot be read the last good content counts
 */
export function fileDeckies(
  path: string | undefined,
  log: Context['log'],
): () => Promise<Readonly<Record<string, string>>> {
  let seen = ''
  let deckies: Readonly<Record<string, string>> = {}
  return async () => {
    if (!path) return deckies
    try {
      // Asked for each batch: handing it to another thread takes longer than the answer does.
      const { mtimeMs, size, ino } = statSync(path)
      const now = `${mtimeMs} ${size} ${ino}`
      if (now === seen) return deckies
      seen = now
      deckies = deckiesOfState(await readFile(path, 'utf8'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Said once, not for every batch; what was read and is broken is not read again anyway.
      if (code !== undefined && seen === code) return deckies
      seen = code ?? seen
      if (code === 'ENOENT') deckies = {}
      else {
        const why = quote(error instanceof Error ? error.message : String(error), 200)
        log.warn({ path, why }, 'the state file cannot be read; its deckies stay as they were')
      }
    }
    return deckies
  }
}
