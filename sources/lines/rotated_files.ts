/** Finds what became of a log file that was rotated, beside its old name. Not a component. */
import { opendir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { UnavailableError } from '../../engine/index.ts'
import { absent, type FileStatus, sameFile, statusOf, TailedFile } from './tailed_file.ts'

/** Entries of a directory that are looked at; a log directory has a few dozen. */
const MAX_ENTRIES = 4096
/** What rotation packs can no longer be read line by line. */
const PACKED = /\.(?:gz|bz2|xz|zst|lz4|zip|Z)$/

interface Sibling {
  readonly path: string
  readonly status: FileStatus
}

/** @returns undefined where there is no such file */
export async function statusAt(path: string): Promise<FileStatus | undefined> {
  const stats = await stat(path, { bigint: true }).catch(absent(path))
  return stats && statusOf(stats)
}

async function siblings(path: string, named: (name: string) => boolean): Promise<Sibling[]> {
  const directory = dirname(path)
  const entries = await opendir(directory).catch(absent(directory))
  if (!entries) return []
  const found: Sibling[] = []
  let looked = 0
  for await (const entry of entries) {
    if (++looked > MAX_ENTRIES) break
    if (!entry.isFile() || !named(entry.name)) continue
    const at = join(directory, entry.name)
    const status = await statusAt(at)
    if (status) found.push({ path: at, status })
  }
  return found
}

/** Every sibling that may be a copy of the file at `path`; its content has to tell. */
const copyNames = (path: string) => (name: string) =>
  name !== basename(path) && name.startsWith(stem(path)) && !PACKED.test(name)

const stem = (path: string): string => basename(path, extname(path))

/** What rotation adds to a name: `.1`, `-20260301`, `.2026-03-01T00:00`. */
const ROTATION = /^[.-]\d[\dT:_.-]*$/

/** Siblings that can only be rotated files: `decnet.log.1`, `decnet-20260301.log`. */
const rotatedNames = (path: string) => (name: string) => {
  const whole = basename(path)
  if (name.startsWith(whole)) return ROTATION.test(name.slice(whole.length))
  const [before, after] = [stem(path), extname(path)]
  if (!name.startsWith(before) || !name.endsWith(after)) return false
  return ROTATION.test(name.slice(before.length, name.length - after.length))
}

/** A sibling that cannot be opened is as good as gone. */
async function openReadable(path: string): Promise<TailedFile | undefined> {
  try {
    return await TailedFile.open(path)
  } catch (error) {
    if (error instanceof UnavailableError) return undefined
    throw error
  }
}

/** Opens the first of `candidates` that `fits`, and closes those that do not. */
async function openFirst(
  candidates: readonly Sibling[],
  fits: (file: TailedFile) => boolean,
): Promise<TailedFile | undefined> {
  for (const { path } of candidates) {
    const file = await openReadable(path)
    if (file && fits(file)) return file
    await file?.close()
  }
  return undefined
}

/**
 * The file of which `size` bytes were read: under a new name (rename), or copied (copytruncate).
 * @param fits whether the content is the one that was read
 */
export async function findRotated(
  path: string,
  read: { readonly inode: string; readonly size: number },
  fits: (file: TailedFile) => boolean,
): Promise<TailedFile | undefined> {
  const isRead = ({ status }: Sibling) => status.inode === read.inode
  const longEnough = ({ status }: Sibling) => status.size >= read.size
  const others = (await siblings(path, (name) => name !== basename(path))).filter(longEnough)
  const renamed = await openFirst(others.filter(isRead), fits)
  if (renamed) return renamed
  const named = copyNames(path)
  const copies = others.filter((other) => !isRead(other) && named(basename(other.path)))
  // The longest one was made last.
  copies.sort((a, b) => b.status.size - a.status.size)
  return openFirst(copies, fits)
}

/**
 * The file that took over from `last` and has been rotated away itself: the oldest one last
 * written after `last` was. Copies of `last` and of `current` are left out.
 * @param current the file now at `path`
 */
export async function findSuccessor(
  path: string,
  last: TailedFile,
  current: TailedFile | undefined,
): Promise<TailedFile | undefined> {
  const status = await last.status()
  const known = current ? [last, current] : [last]
  const isNew = (file: TailedFile) =>
    file.head.length > 0 && !known.some(({ head }) => head.equals(file.head))
  const newer = (await siblings(path, rotatedNames(path)))
    .filter((sibling) => !known.some(({ identity }) => sameFile(identity, sibling.status)))
    .filter((sibling) => order(sibling.status, status) > 0)
    .sort((a, b) => order(a.status, b.status))
  return openFirst(newer, isNew)
}

// Files written within one tick of the kernel's clock have one mtime; then their birth decides.
function order(a: FileStatus, b: FileStatus): number {
  if (a.modified !== b.modified) return a.modified < b.modified ? -1 : 1
  return a.born === b.born ? 0 : a.born < b.born ? -1 : 1
}
