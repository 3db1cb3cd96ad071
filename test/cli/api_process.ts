/** The API as a process of its own, in a folder and on a port of each test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { root } from './decnet.ts'

const SECRET = 'a secret of thirty-two characters or more'

let dir: string
/** of the test at hand */
export let port: number
const running: ChildProcess[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'decnet-api-'))
  port = await freePort()
})
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export const environment = (more: object = {}) => ({
  DECNET_DB_URL: `sqlite:${join(dir, 'decnet.db')}`,
  DECNET_JWT_SECRET: SECRET,
  DECNET_STATE_DIR: join(dir, 'state'),
  DECNET_BUS_TYPE: 'unix',
  DECNET_BUS_SOCKET: join(dir, 'bus.sock'),
  ...more,
})

export interface Started {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exited: Promise<number | null>
}

export function start(args: readonly string[], env: object): Started {
  const child = spawn(join(root, 'bin/decnet'), args, {
    cwd: root,
    env: { ...process.env, ...env },
  })
  running.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += chunk))
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => resolve(code)),
  )
  return { child, stdout: () => stdout, stderr: () => stderr, exited }
}

export const startApi = async (env: object): Promise<Started> => {
  const api = start(['api', '--port', String(port)], env)
  await expect.poll(() => api.stderr(), { timeout: 30_000 }).toContain('the API is up')
  return api
}

export const url = (path: string) => `http://127.0.0.1:${port}/api/v1${path}`

async function logIn(name: string, password: string): Promise<string> {
  const answer = await fetch(url('/auth/login'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  return ((await answer.json()) as { access_token: string }).access_token
}

/** A token of the first user, who has changed the password. */
export async function firstToken(password: string): Promise<string> {
  const token = await logIn('admin', password)
  const changed = { old_password: password, new_password: 'correct horse battery' }
  await fetch(url('/auth/change-password'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(changed),
  })
  return logIn('admin', 'correct horse battery')
}
