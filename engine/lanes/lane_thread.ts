/** How the first thread and a lane talk: one message a batch, each way. */
import { parentPort } from 'node:worker_threads'
import { toFailure } from '../errors.ts'
import type { Event } from '../event.ts'
import type { NumberedLines } from '../inlet.ts'
import type { LaneInput, LaneOutput } from './lane.ts'
import { type PackedEvents, unpackEvents } from './packed_events.ts'

export interface LaneRequest {
  readonly source: string
  /** lines to be read, or events: packed where they have one shape, else as they are */
  readonly lines?: NumberedLines
  readonly packed?: PackedEvents
  readonly events?: readonly Event[]
}

/** `ready` comes once, first; then one answer for each request, in order. */
export type LaneAnswer =
  | { readonly ready: true }
  | { readonly output: LaneOutput }
  | { readonly failure: { readonly code: string; readonly message: string } }

/** Serves the thread that started this one, until that ends it. */
export function serveLane(run: (source: string, input: LaneInput) => Promise<LaneOutput>) {
  const port = parentPort
  if (!port) throw new Error('a lane is a thread of its own')
  const answer = (message: LaneAnswer, handedOver: ArrayBuffer[] = []) =>
    port.postMessage(message, handedOver)
  let last: Promise<void> = Promise.resolve()
  port.on('message', ({ source, lines, packed, events = [] }: LaneRequest) => {
    last = last
      .then(() => run(source, lines ?? (packed ? unpackEvents(packed) : events)))
      .then((output) => {
        const buffers = Object.values(output.sinks).map(({ buffer }) => buffer)
        answer({ output }, buffers)
      })
      .catch((error: unknown) => answer({ failure: toFailure(error) }))
  })
  answer({ ready: true })
}
