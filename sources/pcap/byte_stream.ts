/** Bytes of a capture: looked at without losing them, unpacked, from any place on. Not a component. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { isGzip } from '../../protocols/pcap/capture_reader.ts'

/** Read and unpacked at once. */
const READ_BYTES = 256 * 1024
const MAGIC_BYTES = 4
const ZSTD = 0xfd2fb528
const EMPTY = Buffer.alloc(0)

export interface HeadedBytes {
  /** The first bytes of the stream: as many as were asked for or more, fewer only at its end. */
  readonly head: Buffer
  /** The whole stream, `head` included; to be read, if only to close it. */
  readonly all: AsyncGenerator<Buffer, void>
}

/** Waits for the first `least` bytes of a stream. */
export async function withHead(bytes: AsyncIterable<Buffer>, least: number): Promise<HeadedBytes> {
  const rest = bytes[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  for (let length = 0; length < least; ) {
    const { done, value } = await rest.next()
    if (done) break
    chunks.push(value)
    length += value.length
  }
  const head = chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)
  return { head, all: joined(head, rest) }
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void> {
  try {
    if (head.length > 0) yield head
    for (;;) {
      const { done, value } = await rest.next()
      if (done) return
      yield value
    }
  } finally {
    await rest.return?.()
  }
}

/** The stream as it is, or what it holds where it is gzip or zstd: told by its first bytes. */
export async function* unpacked(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const { head, all } = await withHead(bytes, MAGIC_BYTES)
  const unpack = unpackerOf(head)
  if (!unpack) return yield* all
  // An error on either side surfaces to whoever reads the unpacked side.
  pipeline(Readable.from(all), unpack).catch((error: Error) => unpack.destroy(error))
  yield* unpack
}

function unpackerOf(head: Buffer) {
  if (isGzip(head)) return createGunzip({ chunkSize: READ_BYTES })
  if (head.length < MAGIC_BYTES || head.readUInt32LE() !== ZSTD) return undefined
  return createZstdDecompress({ chunkSize: READ_BYTES })
}

/** Whether a stream failed because what is packed was cut: what came out of it is good. */
export const isCutShort = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR'

/** @param from bytes of what the file holds, unpacked, that are left out */
export async function* fileBytes(path: string, from: number): AsyncGenerator<Buffer, void> {
  const { head, all } = await withHead(createReadStream(path, OPTIONS), MAGIC_BYTES)
  if (from === 0 || unpackerOf(head)) return yield* behind(unpacked(all), from)
  await closed(all)
  yield* createReadStream(path, { ...OPTIONS, start: from })
}

const OPTIONS = { highWaterMark: READ_BYTES }

async function* behind(bytes: AsyncIterable<Buffer>, from: number): AsyncGenerator<Buffer, void> {
  let left = from
  for await (const chunk of bytes) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}

/** Ends a stream that is not to be read: only one that was begun lets go of its file. */
export async function closed(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of bytes) return
}
