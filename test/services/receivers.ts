/** HTTP receivers of webhooks, real ones, that answer as a test says. */
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'

/** What one post looked like. */
export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly body: string
}

/** How to answer: a status, or one with headers; `hang` never answers, `cut` closes the connection. */
export type Answer =
  | number
  | { readonly status: number; readonly headers: Record<string, string> }
  | 'hang'
  | 'cut'

export interface TestReceiver {
  readonly port: number
  readonly received: readonly Received[]
  /** Connections made to it so far. */
  readonly connections: number
  close(): Promise<void>
}

export interface ReceiverOptions {
  /** asked for each post, which is the nth, from 0 */
  readonly answer?: (post: Received, nth: number) => Answer
  /** ms before each answer */
  readonly delay?: number
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly port?: number
}

/** Listens on 127.0.0.1. */
export async function startReceiver({
  answer = () => 200,
  delay = 0,
  tls,
  port = 0,
}: ReceiverOptions = {}): Promise<TestReceiver> {
  const received: Received[] = []
  let connections = 0
  const listener: RequestListener = (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      const post = { headers: request.headers, path: request.url ?? '', body }
      received.push(post)
      const how = answer(post, received.length - 1)
      if (how === 'hang') return
      if (how === 'cut') {
        request.socket.destroy()
        return
      }
      const { status, headers } = typeof how === 'number' ? { status: how, headers: {} } : how
      const send = () => response.writeHead(status, headers).end('x'.repeat(100))
      if (delay === 0) send()
      else setTimeout(send, delay)
    })
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: ((server as Server).address() as AddressInfo).port,
    received,
    get connections() {
      return connections
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
