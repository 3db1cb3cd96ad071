/** Where a running pipeline can be looked at from outside: `/metrics`, `/health`, `/ready`. */
import { existsSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Logger } from './define.ts'
import { EngineError, UnavailableError } from './errors.ts'
import { metricsOf } from './metrics.ts'
import type { PipelineRun } from './pipeline_run.ts'

export interface Endpoint {
  close(): Promise<void>
}

/** Requests are tiny; whatever is larger or slower is not a scrape. */
const REQUEST_TIMEOUT_MS = 5000
const MAX_CONNECTIONS = 16

/**
 * @param listen `HOST:PORT`, `[v6]:PORT` or `unix:/path`
 * @throws {UnavailableError} `LISTEN` when the address cannot be bound
 */
export async function startEndpoint(
  listen: string,
  run: PipelineRun,
  log: Logger,
): Promise<Endpoint> {
  const registry = metricsOf(run)
  const server = createServer((request, response) => {
    answer(request, response, run, () => registry.metrics()).catch((error: unknown) => {
      log.error({ error: String(error) }, 'the metrics endpoint failed')
      response.writeHead(500).end()
    })
  })
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = REQUEST_TIMEOUT_MS
  server.maxConnections = MAX_CONNECTIONS
  await bind(server, listen)
  log.info({ pipeline: run.plan.name, address: server.address() }, 'metrics endpoint is up')
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  run: PipelineRun,
  metrics: () => Promise<string>,
): Promise<void> {
  const path = request.url?.split('?')[0]
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
  } else if (path === '/metrics') {
    const text = await metrics()
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      .end(text)
  } else if (path === '/health' || path === '/ready') {
    const { failed } = run.wired.flow
    const up = !failed && run.failure === undefined
    // Ready: it works on input. A pipeline that only tries again is alive, but not ready.
    const { sinks, askers } = run.wired
    const ready = up && [...sinks.values(), ...askers.values()].every(({ isStuck }) => !isStuck)
    const good = path === '/health' ? up : ready
    response
      .writeHead(good ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ pipeline: run.plan.name, status: good ? 'ok' : 'unavailable' }))
  } else {
    response.writeHead(404).end()
  }
}

function bind(server: Server, listen: string): Promise<void> {
  const path = listen.startsWith('unix:') ? listen.slice('unix:'.length) : undefined
  const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(listen) ?? []
  if (path === undefined && port === '') {
    throw new EngineError('LISTEN', `not an address to listen on: ${listen}`)
  }
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `cannot listen on ${listen}: ${cause.code ?? cause.message}`
      reject(new UnavailableError('LISTEN', message, { cause }))
    })
    server.once('listening', () => resolve())
    if (path === undefined) server.listen(Number(port), host)
    else {
      // The state lock already keeps a second process of this pipeline out: what is there is dead.
      if (existsSync(path)) unlinkSync(path)
      server.listen(path)
    }
  })
}
