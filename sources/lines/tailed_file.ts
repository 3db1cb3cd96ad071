/** One open log file: what it is, whatever its name, and whether it still is that. Not a component. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { EngineError, UnavailableError } from '../../engine/index.ts'
import { FINGERPRINT_BYTES, fileFingerprint } from '../../protocols/line_identity.ts'
import { quote } from '../../protocols/quote.ts'
import { wholeCharactersEnd } from '../../protocols/utf8_text.ts'

const LF = 10
const CR = 13
/** Enough for the part of a first line that is fingerprinted: a UTF-16 unit is 3 bytes at most. */
const HEAD_BYTES = FINGERPRINT_BYTES * 4

/** What tells files apart while they exist; inode and device as decimal text, since they are 64 bit. */
export interface FileIdentity {
  readonly inode: string
  readonly dev: string
}

export interface FileStatus extends FileIdentity {
  readonly size: number
  /** Nanoseconds; orders the files of one rotation. */
  readonly modified: bigint
  readonly born: bigint
}

export const sameFile = (a: FileIdentity, b: FileIdentity): boolean =>
  a.inode === b.inode && a.dev === b.dev

/** The part of `fs.BigIntStats` that a status is made of. */
export interface BigStats {
  readonly ino: bigint
  readonly dev: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly birthtimeNs: bigint
}

export const statusOf = (stats: BigStats): FileStatus => ({
  inode: String(stats.ino),
  dev: String(stats.dev),
  size: Number(stats.size),
  modified: stats.mtimeNs,
  born: stats.birthtimeNs,
})

export class TailedFile {
  readonly path: string
  readonly identity: FileIdentity
  readonly #handle: FileHandle
  #head: Buffer
  #checked: FileStatus | undefined

  private constructor(path: string, identity: FileIdentity, handle: FileHandle, head: Buffer) {
    this.path = path
    this.identity = identity
    this.#handle = handle
    this.#head = head
  }

  /**
   * @returns undefined where there is no such file
   * @throws {EngineError} `NOT_A_FILE` for anything but a regular file
   * @throws {UnavailableError} `FILE_UNREADABLE`
   */
  static async open(path: string): Promise<TailedFile | undefined> {
    // Without O_NONBLOCK, opening a FIFO would hold a thread until somebody writes to it.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(absent(path))
    if (!handle) return undefined
    try {
      const stats = await handle.stat({ bigint: true })
      if (!stats.isFile()) throw new EngineError('NOT_A_FILE', `${quote(path)} is no regular file`)
      return new TailedFile(path, statusOf(stats), handle, await readHead(handle))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** The same open file, of which nothing has been read yet: for one that was emptied. */
  async anew(): Promise<TailedFile> {
    const { path, identity } = this
    return new TailedFile(path, identity, this.#handle, await readHead(this.#handle))
  }

  sharesHandle(other: TailedFile): boolean {
    return this.#handle === other.#handle
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async status(): Promise<FileStatus> {
    return statusOf(await this.#handle.stat({ bigint: true }))
  }

  /** @returns how many bytes were read into `buffer`; 0 at the end of the file */
  async read(buffer: Buffer, offset: number): Promise<number> {
    return (await this.#handle.read(buffer, 0, buffer.length, offset)).bytesRead
  }

  /**
   * Whether what was read up to `offset` still is in the file, i.e. it was not emptied and written
   * anew under the same inode. Asked after each read, it vouches for that read.
   * @param atEnd the read found nothing
   */
  async unchanged(offset: number, atEnd: boolean): Promise<boolean> {
    if (atEnd) {
      const status = await this.status()
      if (status.size < offset) return false
      const { size, modified } = this.#checked ?? {}
      if (status.size === size && status.modified === modified) return true
      this.#checked = status
    }
    const head = await readHead(this.#handle)
    if (!head.subarray(0, this.#head.length).equals(this.#head)) return false
    this.#head = head
    return true
  }

  /** The first bytes of the file, as far as they have been seen. */
  get head(): Buffer {
    return this.#head
  }

  /**
   * @param atEnd whether a first line without a line end counts
   * @returns undefined as long as there is no first line
   */
  fingerprint(source: string, generation: number, atEnd = false): string | undefined {
    const line = firstLine(this.#head, atEnd)
    return line === undefined ? undefined : fileFingerprint(source, generation, line)
  }
}

function firstLine(head: Buffer, atEnd: boolean): string | undefined {
  const newline = head.indexOf(LF)
  if (newline < 0 && head.length < HEAD_BYTES && !atEnd) return undefined
  if (newline < 0) return head.toString('utf8', 0, wholeCharactersEnd(head, head.length))
  return head.toString('utf8', 0, newline > 0 && head[newline - 1] === CR ? newline - 1 : newline)
}

async function readHead(handle: FileHandle): Promise<Buffer> {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  return head.subarray(0, (await handle.read(head, 0, HEAD_BYTES, 0)).bytesRead)
}

/** Answers ENOENT with undefined and lets everything else rise, named. */
export const absent =
  (path: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code === 'ENOENT') return undefined
    const message = `cannot read ${quote(path)}: ${error.code ?? quote(error.message)}`
    throw new UnavailableError('FILE_UNREADABLE', message, { cause: error })
  }
