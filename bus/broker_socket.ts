/** The unix socket at which a broker is reached. */
import { chmod, chown, lstat, mkdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { dirname, sep } from 'node:path'
import { type Context, UnavailableError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import type { Broker } from './broker.ts'
import { cannotListen, claimSocketPath, restrictSocket } from './unix_socket.ts'

/** Connections at once, at most: each may hold as much as its queue. */
const MOST_CONNECTIONS = 1024

export interface BrokerSocketOptions {
  readonly path: string
  /** Group that may connect; one that does not exist, or that may not be given, is left out. */
  readonly group: string
  readonly log: Context['log']
}

export interface BrokerSocket {
  /** Says goodbye to every peer and takes the socket away, if it is still this one. */
  close(): Promise<void>
}

/**
 * Lets peers connect to `broker`. Only a folder below the user's home is made if it is missing.
 * @throws {UnavailableError} `LISTEN` where the path is taken by a live server, is no socket, or
 *   cannot be bound
 */
export async function listenForPeers(
  broker: Broker,
  { path, group, log }: BrokerSocketOptions,
): Promise<BrokerSocket> {
  const shown = quote(path, 200)
  await makeFolder(dirname(path), shown)
  await claimSocketPath(shown, path)
  const server = createServer((socket) => broker.serve(socket))
  server.maxConnections = MOST_CONNECTIONS
  // Bound under another name: closing a server takes away the name it was bound to, which by then
  // may be the socket of the next one. And nobody can connect before the mode is right.
  const bound = `${path}.${process.pid}`
  await unlink(bound).catch(ifMissing)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(shown, error)))
    server.listen(bound, resolve)
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    log.warn({ code: error.code }, 'a connection was not accepted')
  })
  await restrictSocket(bound)
  await giveTo(bound, group, log)
  await rename(bound, path)
  const { ino, dev } = await lstat(path)
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    // The listener's own close waits for connections, so they go first.
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    const there = await lstat(path).catch(ifMissing)
    if (there?.ino === ino && there.dev === dev) await unlink(path).catch(ifMissing)
    await broker.close()
    await ended
  }
  return {
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

async function makeFolder(folder: string, path: string): Promise<void> {
  const found = await stat(folder).catch(ifMissing)
  if (found?.isDirectory()) return
  const home = homedir()
  if (!found && folder.startsWith(home.endsWith(sep) ? home : home + sep)) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return
  }
  throw new UnavailableError('LISTEN', `cannot listen on ${path}: its folder is not there`)
}

async function giveTo(path: string, group: string, log: Context['log']): Promise<void> {
  const id = groupId(await readFile('/etc/group', 'utf8').catch(ifMissing), group)
  if (id === undefined) {
    log.debug({ group: quote(group, 64) }, 'no such group: the socket keeps its own')
    return
  }
  try {
    await chown(path, process.getuid?.() ?? 0, id)
    await chmod(path, 0o660)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    log.debug({ group: quote(group, 64), code }, 'the socket keeps its own group')
  }
}

/** @see group(5) */
export function groupId(file: string | undefined, group: string): number | undefined {
  const line = file?.split('\n').find((text) => text.startsWith(`${group}:`))
  const id = line?.split(':')[2]
  return id !== undefined && /^\d+$/.test(id) ? Number(id) : undefined
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
