/** Reads what a replay wrote as rows: which event, when, what it held, and where that stands. */
import { hash } from 'node:crypto'
import { closeSync, createReadStream, existsSync, openSync, readSync } from 'node:fs'
import { plainText, RECORD_BYTES } from '../edge_record.ts'
import { EngineError } from '../errors.ts'
import type { Event } from '../event.ts'

/** One event of an edge log or of a sink's file. */
export interface Row {
  readonly id: string
  /** as the record of the event has it, hex; see `edge_record.ts` */
  readonly digest: string
  /** event time, ms; in sink files only the text knows it */
  readonly time: number | undefined
  /** byte at which the text starts, and its length (sink files) */
  readonly at: number
  readonly length: number
}

/** Rows in the order they were written; can be read again and again. */
export type Rows = () => AsyncIterable<Row[]>

const READ_BYTES = 1 << 18

/** A line longer than this is no event of ours: lines end at 256 KiB, and JSON escapes sixfold. */
const MAX_LINE_BYTES = 64 << 20

/** @returns the rows of one port; none where nothing has left it */
export const logRows = (file: string): Rows =>
  async function* () {
    if (!existsSync(file)) return
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
      const rows: Row[] = []
      let at = 0
      for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
        rows.push({
          id: bytes.toString('hex', at, at + 16),
          time: bytes.readDoubleLE(at + 16),
          digest: bytes.toString('hex', at + 24, at + RECORD_BYTES),
          at: 0,
          length: 0,
        })
      }
      rest = bytes.subarray(at)
      yield rows
    }
    if (rest.length > 0) throw new EngineError('EDGE_LOG', `${file} is cut off`)
  }

/** @returns the rows of a sink's file; none where there is no such file */
export const sinkRows = (file: string): Rows =>
  async function* () {
    if (!existsSync(file)) return
    let rest: Buffer = Buffer.alloc(0)
    let at = 0
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
      const rows: Row[] = []
      let start = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        rows.push(lineRow(bytes.subarray(start, end), at + start, file))
        start = end + 1
      }
      rest = bytes.subarray(start)
      at += start
      if (rest.length > MAX_LINE_BYTES) throw notAnEvent(file, at)
      yield rows
    }
    if (rest.length > 0) throw notAnEvent(file, at)
  }

const ID_MARK = Buffer.from(',"id":"')

function lineRow(line: Buffer, at: number, file: string): Row {
  // Members are sorted, `time` and `topic` come last and hold no such text: this is the event's own.
  const mark = line.lastIndexOf(ID_MARK)
  const end = mark < 0 ? -1 : line.indexOf(0x22, mark + ID_MARK.length)
  if (end < 0) throw notAnEvent(file, at)
  return {
    id: line.toString('utf8', mark + ID_MARK.length, end),
    digest: hash('sha256', digestedText(line, mark, file, at), 'hex').slice(0, 16),
    time: undefined,
    at,
    length: line.length,
  }
}

const DATA = '{"data":{'
const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c]

/** @param mark byte at which `data` has ended */
function digestedText(line: Buffer, mark: number, file: string, at: number): Buffer | string {
  const keyEnd = literalEnd(line, DATA.length)
  const isPlain = line[keyEnd] === COLON && literalEnd(line, keyEnd + 1) === mark - 1
  return (isPlain && plainText(parsed(line, file, at))) || line
}

/** @returns the byte after the string that starts at `start`, or -1 where none does */
function literalEnd(line: Buffer, start: number): number {
  if (line[start] !== QUOTE) return -1
  for (let at = start + 1; at < line.length; at += line[at] === BACKSLASH ? 2 : 1) {
    if (line[at] === QUOTE) return at + 1
  }
  return -1
}

function parsed(line: Buffer, file: string, at: number): Event {
  try {
    return JSON.parse(line.toString('utf8')) as Event
  } catch {
    throw notAnEvent(file, at)
  }
}

const notAnEvent = (file: string, at: number): EngineError =>
  new EngineError('SINK_FILE', `${file} holds something else than an event at byte ${at}`)

/** Reads single events of a sink's file by their rows. */
export interface EventReader {
  /** @throws {EngineError} `SINK_FILE` when the file has changed meanwhile */
  read(row: Row): Event
  close(): void
}

export function eventReader(file: string): EventReader {
  let handle: number | undefined
  return {
    read({ at, length }) {
      handle ??= openSync(file, 'r')
      const bytes = Buffer.allocUnsafe(length)
      for (let got = 0; got < length; ) {
        const more = readSync(handle, bytes, got, length - got, at + got)
        if (more === 0) throw notAnEvent(file, at)
        got += more
      }
      return parsed(bytes, file, at)
    },
    close: () => {
      if (handle !== undefined) closeSync(handle)
    },
  }
}
