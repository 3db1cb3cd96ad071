/** Chooses the file to read: at the start, after a restart and after a rotation. Not a component. */
import { type Context, pause, UnavailableError } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'
import { NOTHING_READ, type Reading, type TailPosition } from './reading.ts'
import { findRotated, findSuccessor } from './rotated_files.ts'
import { TailedFile } from './tailed_file.ts'

/** A shorter poll would only burn the processor. */
const SHORTEST_POLL = 10

export interface TailOptions {
  readonly path: string
  readonly start: 'beginning' | 'end'
  /** ms between looks at a file that does not grow */
  readonly poll: number
  /** bytes */
  readonly max_line: number
  /** false: the end of the file is the end */
  readonly follow: boolean
  /** bytes per read; for tests */
  readonly readBytes?: number
}

export const nextPoll = ({ poll }: TailOptions, { signal }: Context): Promise<void> =>
  pause(Math.max(poll, SHORTEST_POLL), signal)

/**
 * Opens the file at the path, once there is one.
 * @returns undefined where the pipeline stops first
 * @throws {UnavailableError} `FILE_ABSENT` where none is to be waited for
 */
export async function begin(
  options: TailOptions,
  generation: number,
  context: Context,
): Promise<Reading | undefined> {
  const { path, follow } = options
  let waited = false
  while (!context.signal.aborted) {
    const file = await TailedFile.open(path)
    if (file) {
      // Only a file that is there at the very start has lines from before it.
      const skip = generation === 0 && options.start === 'end' && !waited
      const offset = skip ? await lastLineEnd(file, options.max_line) : 0
      return { file, generation, offset, fingerprint: undefined }
    }
    if (!follow) throw new UnavailableError('FILE_ABSENT', `there is no file ${quote(path)}`)
    if (!waited) context.log.info({ path }, 'waiting for the file to appear')
    waited = true
    await nextPoll(options, context)
  }
  return undefined
}

/** Where a line that is being written starts, or the end of the file if none is. */
async function lastLineEnd(file: TailedFile, maxLine: number): Promise<number> {
  const { size } = await file.status()
  const start = Math.max(0, size - maxLine)
  const bytes = Buffer.alloc(size - start)
  const length = await file.read(bytes, start)
  const newline = bytes.subarray(0, length).lastIndexOf('\n')
  return newline < 0 && start > 0 ? size : start + newline + 1
}

/** Finds the file a position belongs to, under whatever name. */
export async function resume(
  options: TailOptions,
  position: TailPosition,
  context: Context,
): Promise<Reading | undefined> {
  const { generation, offset, fingerprint } = position
  if (fingerprint === NOTHING_READ.fingerprint) {
    return begin({ ...options, start: 'beginning' }, generation, context)
  }
  const fits = fitting(context.node, generation, fingerprint)
  const at = (file: TailedFile): Reading => ({ file, generation, offset, fingerprint })
  const current = await TailedFile.open(options.path)
  const isOurs = current && fits(current) && (await current.status()).size >= offset
  // The device's number may differ after a reboot, so the inode decides, with the fingerprint.
  if (isOurs && current.identity.inode === position.inode) return at(current)
  const rotated = await findRotated(options.path, { inode: position.inode, size: offset }, fits)
  // Restored from a backup or moved to another disk: new inode, old content.
  if (!rotated && isOurs) return at(current)
  await current?.close()
  if (rotated) return at(rotated)
  context.count('rotated_away')
  context.log.warn({ path: options.path, offset }, 'the file last read is gone; its rest is lost')
  return begin(options, generation + 1, context)
}

/** The file after `reading`: one that came and went meanwhile, or the one at the path now. */
export async function afterMove(
  reading: Reading,
  options: TailOptions,
  context: Context,
): Promise<Reading | undefined> {
  if (reading.original) return reading.original
  const generation = reading.generation + 1
  // Opened first: if it is rotated away while we look for others, it still is the next one.
  const current = await TailedFile.open(options.path)
  const between = await findSuccessor(options.path, reading.file, current)
  if (between) {
    await current?.close()
    return startOf(between, generation)
  }
  return current ? startOf(current, generation) : begin(options, generation, context)
}

/**
 * How to go on after copytruncate: with the rest of the file in the copy that was made, if there
 * is one, and then with the file, from its start.
 */
export async function afterEmptying(
  reading: Reading,
  options: TailOptions,
  { node }: Context,
): Promise<Reading> {
  const { offset, generation, file } = reading
  const fingerprint = reading.fingerprint ?? file.fingerprint(node, generation)
  const original = startOf(await file.anew(), generation + 1)
  if (fingerprint === undefined) return original
  const fits = fitting(node, generation, fingerprint)
  const copy = await findRotated(options.path, { inode: file.identity.inode, size: offset }, fits)
  return copy ? { file: copy, generation, offset, fingerprint, original } : original
}

const startOf = (file: TailedFile, generation: number): Reading => ({
  file,
  generation,
  offset: 0,
  fingerprint: undefined,
})

// A first line without a line end counts: it may have been the last one of a finished file.
const fitting =
  (node: string, generation: number, fingerprint: string) =>
  (file: TailedFile): boolean =>
    file.fingerprint(node, generation, true) === fingerprint
