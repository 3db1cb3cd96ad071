/** What a run of `chaos` leaves in its folder, and where two of them differ. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export interface ContentPaths {
  /** what is compared: `sinks/`, `tables/` and `dead_letters.ndjson` are in it */
  readonly all: string
  readonly sinks: string
  readonly tables: string
  readonly deadLetters: string
  readonly state: string
}

/** Folder of the run that nobody kills, beside that of any other. */
export const referenceOf = (dir: string): string => join(dirname(dir), 'reference')

export function contentsOf(dir: string): ContentPaths {
  const all = join(dir, 'contents')
  return {
    all,
    sinks: join(all, 'sinks'),
    tables: join(all, 'tables'),
    deadLetters: join(all, 'dead_letters.ndjson'),
    state: join(dir, 'state'),
  }
}

/** What a run that got to its end has to tell. */
export interface RunNotes {
  /** how often each boundary was met, where they were counted */
  readonly met: Readonly<Record<string, number>>
  /** sinks that may hold an event twice */
  readonly repeating: readonly string[]
}

const notesFile = (dir: string): string => join(dir, 'notes.json')

export const writeNotes = (dir: string, notes: RunNotes): void =>
  writeFileSync(notesFile(dir), JSON.stringify(notes))

export const readNotes = (dir: string): RunNotes =>
  JSON.parse(readFileSync(notesFile(dir), 'utf8')) as RunNotes

/** The first place where two runs differ. */
export interface Difference {
  /** e.g. `tables/logs.ndjson` */
  readonly file: string
  /** from 1 */
  readonly line: number
  /** undefined: the file ends before it */
  readonly expected: string | undefined
  readonly found: string | undefined
}

/**
 * Compares byte for byte; of sinks that may repeat events, each line counts once.
 * @returns undefined when they are the same
 */
export function firstDifference(
  expectedDir: string,
  foundDir: string,
  { repeating }: Pick<RunNotes, 'repeating'>,
): Difference | undefined {
  const [expected, found] = [contentsOf(expectedDir).all, contentsOf(foundDir).all]
  const files = new Set([...filesIn(expected), ...filesIn(found)])
  const once = new Set(repeating.map((sink) => join('sinks', `${sink}.ndjson`)))
  for (const file of [...files].sort()) {
    const difference = differenceIn(
      linesOf(join(expected, file), once.has(file)),
      linesOf(join(found, file), once.has(file)),
    )
    if (difference) return { file, ...difference }
  }
  return undefined
}

const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))

/** A sink that was never opened has made no file. */
function linesOf(path: string, once: boolean): string[] {
  if (!existsSync(path)) return []
  // What follows the last newline is compared too: the empty text where there is nothing.
  const lines = readFileSync(path, 'utf8').split('\n')
  return once ? [...new Set(lines.filter((line) => line !== ''))] : lines
}

function differenceIn(
  expected: readonly string[],
  found: readonly string[],
): Omit<Difference, 'file'> | undefined {
  const length = Math.max(expected.length, found.length)
  for (let index = 0; index < length; index++) {
    if (expected[index] === found[index]) continue
    return { line: index + 1, expected: expected[index], found: found[index] }
  }
  return undefined
}
