import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp, type Server } from 'node:http'
import { createServer, type Server as SocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { dockerPing } from '../../../web/api/docker_ping.ts'

let dir: string
let socket: string
const servers: (Server | SocketServer)[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'decnet-docker-'))
  socket = join(dir, 'docker.sock')
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  await rm(dir, { recursive: true, force: true })
})
const listening = async <T extends Server | SocketServer>(server: T, at: string | number) => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(at as string, () => resolve()))
  return server
}
/** The answer of an engine to `GET /_ping`, as Docker 27 gives it. */
const engine = (status = 200) =>
  createHttp((request, response) => {
    response.writeHead(request.url === '/_ping' ? status : 404).end('OK')
  })

it('is well where the engine answers over its socket', async () => {
  await listening(engine(), socket)
  expect(await dockerPing({}, socket)()).toEqual({ state: 'ok', detail: '' })
  expect((await dockerPing({ DOCKER_HOST: `unix://${socket}` })()).state).toBe('ok')
})

it('is well where the engine answers over TCP', async () => {
  const server = await listening(engine(), 0)
  const { port } = server.address() as { port: number }
  expect((await dockerPing({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })()).state).toBe('ok')
})

it('is of no concern where there is no socket, and nobody has named one', async () => {
  expect((await dockerPing({}, socket)()).state).toBe('unused')
  expect((await dockerPing({ DOCKER_HOST: '' }, socket)()).state).toBe('unused')
})

it('is of no concern where the path to the socket leads nowhere', async () => {
  await writeFile(join(dir, 'file'), '')
  expect((await dockerPing({}, join(dir, 'file', 'docker.sock'))()).state).toBe('unused')
})

it.each([
  ['there is none where it was said to be', () => `unix://${socket}`, 'ENOENT'],
  ['nothing listens', () => 'tcp://127.0.0.1:1', 'ECONNREFUSED'],
  ['it is spoken to by ssh', () => 'ssh://host', 'DOCKER_HOST is none of unix:// and tcp://'],
  ['it is named badly', () => 'tcp://:::', 'DOCKER_HOST is none of unix:// and tcp://'],
])('fails where %s', async (_what, host, reason) => {
  const { state, detail } = await dockerPing({ DOCKER_HOST: host() })()
  expect([state, detail]).toEqual(['failing', expect.stringContaining(reason)])
})

it('fails where a socket is left behind that nothing listens on any more', async () => {
  await writeFile(socket, '')
  expect(await dockerPing({}, socket)()).toEqual({
    state: 'failing',
    detail: 'the engine does not answer: ECONNREFUSED',
  })
})

it('fails where the engine is ill, or is something else', async () => {
  await listening(engine(500), socket)
  expect((await dockerPing({}, socket)()).detail).toContain('status 500')
  const other = join(dir, 'other.sock')
  await listening(
    createServer((peer) => peer.end('SSH-2.0-OpenSSH_9.6\r\n')),
    other,
  )
  expect((await dockerPing({}, other)()).detail).toContain('HPE_INVALID_CONSTANT')
})

it('fails after 2 s where the engine says nothing', async () => {
  const peers: { destroy(): void }[] = []
  await listening(
    createServer((peer) => void peers.push(peer)),
    socket,
  )
  expect((await dockerPing({}, socket)()).detail).toContain('it takes too long')
  for (const peer of peers) peer.destroy()
})
