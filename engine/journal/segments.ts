/** The files of a journal: one, or a directory of segments named by their first sequence. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const NAME = /^(\d{16})\.journal$/

export interface SegmentFile {
  readonly path: string
  /** sequence of the first item it has or will have */
  readonly first: number
  readonly bytes: number
  /** ms since the epoch */
  readonly modified: number
}

export const segmentName = (first: number): string => `${String(first).padStart(16, '0')}.journal`

/** @returns the segments of a directory, oldest first; none where there is no such directory */
export async function segmentsIn(dir: string): Promise<SegmentFile[]> {
  let names: string[]
  try {
    names = await readdir(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const found = names.flatMap((name) => {
    const [, first] = NAME.exec(name) ?? []
    return first === undefined ? [] : { path: join(dir, name), first: Number(first) }
  })
  found.sort((one, other) => one.first - other.first)
  return Promise.all(
    found.map(async (segment) => {
      const { size, mtimeMs } = await stat(segment.path)
      return { ...segment, bytes: size, modified: mtimeMs }
    }),
  )
}

/** @returns the segments of a directory, or the one file; none where there is nothing */
export async function journalFiles(path: string): Promise<SegmentFile[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!found) return []
  if (found.isDirectory()) return segmentsIn(path)
  return [{ path, first: 0, bytes: found.size, modified: found.mtimeMs }]
}
