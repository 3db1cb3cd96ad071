/** The streams of this process, by the path they are served under. */
import { defineResource, EngineError, type Resource } from '../../engine/index.ts'
import type { StreamHub } from './hub.ts'

/** Where a stream is put so that clients find it. */
export interface Streams {
  /**
   * @param path under the prefix of the API, e.g. `/identities/events`
   * @returns takes it away again
   * @throws {EngineError} `STREAM_PATH` where another is there
   */
  add(path: string, hub: StreamHub): () => void
}

/** What serves the streams of pipelines: `await context.use(streamsResource)`. */
export const streamsResource: Resource<Streams> = defineResource<Streams>('streams')

/** Knows which stream is served where. */
export class StreamTable implements Streams {
  readonly #hubs = new Map<string, StreamHub>()

  add(path: string, hub: StreamHub): () => void {
    if (this.#hubs.has(path)) {
      throw new EngineError('STREAM_PATH', `two streams are to be served under ${path}`)
    }
    this.#hubs.set(path, hub)
    return () => {
      if (this.#hubs.get(path) === hub) this.#hubs.delete(path)
    }
  }

  find(path: string): StreamHub | undefined {
    return this.#hubs.get(path)
  }
}
