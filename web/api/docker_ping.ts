/** Whether the engine that runs the deckies answers: one question over its socket, and no library. */
import { existsSync, readFileSync } from 'node:fs'
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { join } from 'node:path'
import { pause } from '../../engine/index.ts'

/** `unused`: this host has not been told of an engine, and there is none that we may ask. */
export type DockerState = { readonly state: 'ok' | 'unused' | 'failing'; readonly detail: string }

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_SOCKET = '/var/run/docker.sock'
/** An engine that takes longer is of no use to anybody, ms. */
const PATIENCE = 2000

const UNUSED: DockerState = {
  state: 'unused',
  detail: 'not watched: DOCKER_HOST is not set, and there is no socket that may be asked',
}
const failing = (detail: string): DockerState => ({ state: 'failing', detail })

/**
 * Asks the engine of `DOCKER_HOST` (`unix://`, `tcp://`, with `DOCKER_TLS_VERIFY` and
 * `DOCKER_CERT_PATH` as its own client has them). Where that is not set, the socket of this host, if
 * there is one and this user may open it: the right to ask is the right to be root, so a unit that
 * does not have it is well.
 * @see Docker Engine API, `GET /_ping`
 */
export function dockerPing(env: Environment, socket = DEFAULT_SOCKET): () => Promise<DockerState> {
  const host = env.DOCKER_HOST
  if (!host) {
    return async () => {
      if (!existsSync(socket)) return UNUSED
      const code = await ping(false, { socketPath: socket })
      if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT') return UNUSED
      return answerOf(code)
    }
  }
  return async () => {
    const [isTls, options] = optionsOf(host, env)
    if (options === undefined) return failing('DOCKER_HOST is none of unix:// and tcp://')
    return answerOf(await ping(isTls, options))
  }
}

const answerOf = (code: string | undefined): DockerState =>
  code === undefined ? { state: 'ok', detail: '' } : failing(`the engine does not answer: ${code}`)

function optionsOf(host: string, env: Environment): [boolean, RequestOptions | undefined] {
  if (host.startsWith('unix://')) return [false, { socketPath: host.slice('unix://'.length) }]
  const url = host.startsWith('tcp://') ? URL.parse(host.replace(/^tcp/, 'http')) : null
  if (!url) return [false, undefined]
  const isTls = Boolean(env.DOCKER_TLS_VERIFY)
  const port = Number(url.port || (isTls ? 2376 : 2375))
  return [isTls, { host: url.hostname.replace(/^\[|\]$/g, ''), port, ...(isTls && keysOf(env)) }]
}

function keysOf({
  DOCKER_CERT_PATH: folder = join(process.env.HOME ?? '/', '.docker'),
}: Environment) {
  const read = (name: string) => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path) : undefined
  }
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
}

/** @returns undefined where it answers, else a code that may be shown */
function ping(isTls: boolean, options: RequestOptions): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const over = new AbortController()
  const asked = (isTls ? tlsRequest : plainRequest)(
    { ...options, path: '/_ping', headers: { host: 'docker' }, agent: false },
    (response) => {
      resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`)
      // What it says beside the status is nobody's.
      over.abort()
    },
  )
  asked.once('error', (error: NodeJS.ErrnoException) => {
    resolve(error.code ?? 'no reason given')
    over.abort()
  })
  asked.end()
  void pause(PATIENCE, over.signal).then(() => {
    resolve('it takes too long')
    asked.on('error', () => undefined).destroy()
  })
  return promise
}
