/** Real captures, where they are there; `expected.jsonl` says what other programs read in them. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { decodePacket } from '../../../protocols/packet/decode.ts'
import type { Packet } from '../../../protocols/packet/packet.ts'
import { isGzip } from '../../../protocols/pcap/capture_reader.ts'
import type { Frame } from '../pcap/captured_frames.ts'

const CORPUS = new URL('../../../../shared/corpus/pcap/', import.meta.url)

export const hasCorpus = existsSync(CORPUS)

/** One line of `expected.jsonl`, as far as packets go. */
export interface ExpectedCapture {
  file: string
  packets: number
  link: string
  syn?: string[][]
  syn_count?: number
  synack_count?: number
}

export const expectedCaptures = (): ExpectedCapture[] =>
  hasCorpus
    ? readFileSync(new URL('expected.jsonl', CORPUS), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : []

export function captureBytes(file: string): Buffer {
  const bytes = readFileSync(new URL(file, CORPUS))
  return isGzip(bytes) ? gunzipSync(bytes) : bytes
}

export const packetOf = ({ frame, linkType, wireLength, time }: Frame): Packet | undefined =>
  decodePacket(frame, 0, frame.length, linkType, wireLength, time)
