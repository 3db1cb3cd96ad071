/** A file of lines that only grows, and can be cut back to where a checkpoint left it. */
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FatalError } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'

/** How far a file has been written. */
export interface FilePosition {
  readonly inode: number
  /** bytes */
  readonly offset: number
}

/** What opening did to the file, told by the bytes it took away. */
export interface Cut {
  /** `saved`: what was written after the position; `torn`: a line without its end */
  readonly reason: 'saved' | 'torn'
  readonly bytes: number
}

/** Bytes looked at per step back from the end of a file, in search of its last newline. */
const STEP = 65_536
/** No event is longer than this, so a file without a newline in so many bytes is not ours. */
const TAIL_MAX = 64 * 2 ** 20
const NEWLINE = 0x0a

export class AppendFile {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #device: number
  readonly #inode: number
  #offset: number

  private constructor(
    path: string,
    handle: FileHandle,
    place: { device: number; inode: number; offset: number },
  ) {
    this.#path = path
    this.#handle = handle
    this.#device = place.device
    this.#inode = place.inode
    this.#offset = place.offset
  }

  /**
   * Opens the file, or makes it with its folders. What stands after `saved` goes, if it is the same
   * file; in any other, only a last line that a crash has torn.
   * @throws {FatalError} `NOT_NDJSON` when the file does not end in one of our lines
   */
  static async open(
    path: string,
    saved: FilePosition | undefined,
    onCut: (cut: Cut) => void,
  ): Promise<AppendFile> {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(path, 'a+')
    try {
      const { dev, ino, size } = await handle.stat()
      const lines = await endOfLastLine(handle, size, path)
      const fits = saved?.inode === ino && (await isLineStart(handle, saved.offset, size))
      const offset = fits ? saved.offset : lines
      if (offset < size) {
        await handle.truncate(offset)
        onCut({ reason: fits ? 'saved' : 'torn', bytes: size - offset })
      }
      return new AppendFile(path, handle, { device: dev, inode: ino, offset })
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get position(): FilePosition {
    return { inode: this.#inode, offset: this.#offset }
  }

  /** @returns false when the file has been renamed or removed; cut from outside, it goes on there */
  async isStillThere(): Promise<boolean> {
    const found = await stat(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (found?.dev !== this.#device || found.ino !== this.#inode) return false
    this.#offset = found.size
    return true
  }

  /** @param sync whether to wait for the disk */
  async append(parts: readonly Uint8Array[], sync: boolean): Promise<void> {
    for (const bytes of parts) await this.#handle.appendFile(bytes)
    if (sync) await this.#handle.datasync()
    for (const { length } of parts) this.#offset += length
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Whether a line can start at that byte: a file that others have changed is not cut in a line. */
async function isLineStart(handle: FileHandle, offset: number, size: number): Promise<boolean> {
  if (offset === 0) return true
  if (offset > size) return false
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, offset - 1)
  return bytesRead === 1 && buffer[0] === NEWLINE
}

async function endOfLastLine(handle: FileHandle, size: number, path: string): Promise<number> {
  const buffer = Buffer.alloc(Math.min(STEP, size))
  let lineStart = 0
  for (let end = size; end > 0; end -= STEP) {
    const start = Math.max(0, end - STEP)
    const { bytesRead } = await handle.read(buffer, 0, end - start, start)
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE)
    if (newline >= 0) {
      lineStart = start + newline + 1
      break
    }
    if (size - start > TAIL_MAX) throw notOurs(path)
  }
  if (lineStart < size && !(await startsLikeOurs(handle, lineStart))) throw notOurs(path)
  return lineStart
}

const notOurs = (path: string): FatalError =>
  new FatalError('NOT_NDJSON', `${quote(path)} ends in something that is no event`)

async function startsLikeOurs(handle: FileHandle, start: number): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, start)
  return bytesRead === 1 && buffer[0] === 0x7b
}
