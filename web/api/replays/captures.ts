/** What can be replayed: the plain files of one folder, and the sample that comes with the program. */
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** What a capture holds, told by its content. */
export interface CaptureKind {
  readonly kind: 'log' | 'events' | 'packets' | 'journal'
  /** pipelines that such a capture is for, of those that this host has */
  readonly pipelines: readonly string[]
}

export interface CapturePlace {
  readonly folder: string
  /** path of the sample; undefined: there is none */
  readonly sample: string | undefined
  /** @returns undefined for what is no capture, a folder that is no journal for one */
  kindOf(path: string): Promise<CaptureKind | undefined>
}

export interface Capture extends CaptureKind {
  readonly name: string
  readonly path: string
  readonly bytes: number
  /** ms since the Unix epoch */
  readonly modified: number
  readonly isSample: boolean
}

/** Captures that are shown, the newest first; a page of more is no help. */
const MOST = 500
/** Names of the folder that are looked at. */
const MOST_NAMES = 5000
const MOST_NAME = 200

/** Keeps the kind of what has not changed: each look reads the head of a file. */
export class Captures {
  readonly #place: CapturePlace
  #known: ReadonlyMap<string, Capture> = new Map()

  constructor(place: CapturePlace) {
    this.#place = place
  }

  get folder(): string {
    return this.#place.folder
  }

  /** So that there is a place to put them; where it may not be made there are only those that are there. */
  async makeFolder(): Promise<void> {
    try {
      await mkdir(this.#place.folder, { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
  }

  async list(): Promise<readonly Capture[]> {
    const { folder, sample } = this.#place
    const names = (await namesIn(folder)).filter(isPlain).slice(0, MOST_NAMES)
    const found: Capture[] = []
    for (const name of names) {
      const capture = await this.#look(join(folder, name), false)
      if (capture) found.push(capture)
    }
    found.sort((a, b) => b.modified - a.modified || (a.name < b.name ? -1 : 1))
    const own = found.slice(0, MOST)
    const isHidden = sample === undefined || own.some(({ name }) => name === basename(sample))
    const shown = isHidden ? undefined : await this.#look(sample, true)
    const all = shown ? [...own, shown] : own
    this.#known = new Map(all.map((one) => [one.path, one]))
    return all
  }

  /** Only what stands in the list can be found, so that no name leads out of the folder. */
  async find(name: string): Promise<Capture | undefined> {
    return (await this.list()).find((one) => one.name === name)
  }

  async #look(path: string, isSample: boolean): Promise<Capture | undefined> {
    try {
      const status = await lstat(path)
      // A link may lead anywhere, and opening a pipe waits for whoever writes.
      if (!status.isFile() && !status.isDirectory()) return undefined
      const bytes = status.isDirectory() ? await bytesIn(path) : status.size
      const known = this.#known.get(path)
      if (known?.bytes === bytes && known.modified === status.mtimeMs) return known
      const kind = await this.#place.kindOf(path)
      if (!kind) return undefined
      return { name: basename(path), path, bytes, modified: status.mtimeMs, isSample, ...kind }
    } catch (error) {
      // It has gone meanwhile, or is not for us to read.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      return undefined
    }
  }
}

const isPlain = (name: string): boolean =>
  name.length <= MOST_NAME && !name.startsWith('.') && !/[/\\\p{C}]/u.test(name)

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return [] // not there yet, or not ours
  }
}

/** Bytes of the files right in a folder, links left out. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const name of (await readdir(folder)).slice(0, MOST_NAMES)) {
    const status = await lstat(join(folder, name))
    if (status.isFile()) bytes += status.size
  }
  return bytes
}
