/** Tells what a capture holds by its first bytes, and which pipelines it is for. */
import { lstatSync } from 'node:fs'
import { byteStream } from '../../engine/capture.ts'
import { EngineError } from '../../engine/errors.ts'
import { journalPipeline } from '../../engine/journal/capture.ts'
import type { CaptureKind } from '../../web/api/replays/captures.ts'

const HEAD_BYTES = 512

/** pcap in both byte orders, with microseconds and nanoseconds, and pcapng. */
const PACKETS = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a])

/** What works on log lines, one on what the other writes. */
const ON_LOGS = ['ingest', 'profiler', 'clusterer', 'campaign-clusterer', 'reuse-correlator']
const ON_PACKETS = ['sniffer']

/**
 * @param path of a regular file, packed or not, or of a folder
 * @param known pipelines of this host
 * @returns undefined for a folder that is no journal, and for what cannot be unpacked
 */
export async function captureKind(
  path: string,
  known: ReadonlySet<string>,
): Promise<CaptureKind | undefined> {
  try {
    const journalOf = await journalPipeline(path)
    if (journalOf !== undefined) {
      return { kind: 'journal', pipelines: [journalOf].filter((one) => known.has(one)) }
    }
    if (lstatSync(path).isDirectory()) return undefined
    const head = await headOf(path)
    if (head.length >= 4 && PACKETS.has(head.readUInt32BE(0))) {
      return { kind: 'packets', pipelines: ON_PACKETS.filter((one) => known.has(one)) }
    }
    const isEvents = head.toString('latin1').trimStart().startsWith('{')
    const pipelines = isEvents ? [] : ON_LOGS.filter((one) => known.has(one))
    return { kind: isEvents ? 'events' : 'log', pipelines }
  } catch (error) {
    // Damaged, or gone: neither is anything to replay.
    if (!(error instanceof EngineError) && (error as { code?: unknown }).code === undefined) {
      throw error
    }
    return undefined
  }
}

async function headOf(path: string): Promise<Buffer> {
  let head = Buffer.alloc(0)
  for await (const chunk of await byteStream(path, () => undefined)) {
    head = Buffer.concat([head, chunk as Buffer])
    if (head.length >= HEAD_BYTES) break
  }
  return head.subarray(0, HEAD_BYTES)
}
