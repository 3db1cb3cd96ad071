/** The API as a process has it: listening, and taking in the streams of pipelines. */
import { type Streams, StreamTable } from '../../bus/stream/streams.ts'
import { UnavailableError } from '../../engine/index.ts'
import { buildApi } from './server.ts'
import type { ApiServices } from './services.ts'

export interface ServedApi extends Streams {
  /** where it listens, e.g. `http://127.0.0.1:8000` */
  readonly address: string
  close(): Promise<void>
}

interface Place {
  readonly host: string
  /** 0: any that is free */
  readonly port: number
}

/** @throws {UnavailableError} `LISTEN` where the address cannot be had */
export async function serveApi(
  services: Omit<ApiServices, 'streams'>,
  { host, port }: Place,
): Promise<ServedApi> {
  const streams = new StreamTable()
  const app = await buildApi({ ...services, streams })
  try {
    const address = await app.listen({ host, port })
    services.log.info({ address }, 'the API is up')
    return {
      address,
      add: (path, hub) => streams.add(path, hub),
      async close() {
        await app.close()
        await services.webhooks.client.close()
      },
    }
  } catch (cause) {
    await app.close()
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown reason'
    const where = `${host}:${port}`
    throw new UnavailableError('LISTEN', `cannot listen on ${where}: ${code}`, { cause })
  }
}
