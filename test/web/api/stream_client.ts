/** A client of a stream over a real socket. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type SseEvent, SseParser } from '../../../protocols/sse.ts'

export interface StreamClient {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** all that came, as text */
  readonly text: () => string
  readonly events: SseEvent[]
  readonly ended: () => boolean
  close(): void
}

export function openStream(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamClient> {
  const { promise, resolve, reject } = Promise.withResolvers<StreamClient>()
  const asked: ClientRequest = request(url, { headers, agent: false })
  let closed = false
  asked.once('error', (error) => (closed ? undefined : reject(error)))
  asked.once('response', (response: IncomingMessage) => {
    const parser = new SseParser()
    const events: SseEvent[] = []
    let text = ''
    let ended = false
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      events.push(...parser.push(chunk))
    })
    response.on('error', () => {
      ended = true
    })
    response.on('close', () => {
      ended = true
    })
    resolve({
      status: response.statusCode ?? 0,
      headers: response.headers,
      text: () => text,
      events,
      ended: () => ended,
      close() {
        closed = true
        asked.destroy()
      },
    })
  })
  asked.end()
  return promise
}
