/** The unix socket at which a broker is reached. */
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'
import { type Context, freshEpoch, jitter, pause, UnavailableError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import type { Broker } from './broker.ts'
import { cannotListen, isLeftOver, knock, restrictSocket } from './unix_socket.ts'

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

/** How often a broker comes back to a path that others want too, and how long it waits at first, ms. */
const MOST_TRIES = 10
const FIRST_WAIT = 10

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
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    await isLeftOver(shown, path)
    const socket = await tryToListen(broker, shown, { path, group, log })
    if (socket) return socket
    await pause(jitter() * FIRST_WAIT * 2 ** tries)
  }
  throw new UnavailableError('LISTEN', `cannot listen on ${shown}: another broker is about to`)
}

/**
 * Of several brokers that start at once on one path, at most one gets it: each first listens beside
 * it, under a name of its own, and then goes on only if it sees no other that does. Of two, the one
 * that came second sees the first, beside the path or already at it.
 * @returns undefined where there are others
 */
async function tryToListen(
  broker: Broker,
  shown: string,
  { path, group, log }: BrokerSocketOptions,
): Promise<BrokerSocket | undefined> {
  const server = createServer((socket) => broker.serve(socket))
  server.maxConnections = MOST_CONNECTIONS
  // A name that nobody has had or will have: whoever finds it dead may remove it. And closing a
  // server takes away the name it was bound to, which must not be that of the next one's socket.
  const bound = `${path}.${freshEpoch().slice(0, 8)}`
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(shown, error)))
    server.listen(bound, resolve)
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    log.warn({ code: error.code }, 'a connection was not accepted')
  })
  try {
    if (await hasRivals(path, bound)) {
      server.close()
      return undefined
    }
    await isLeftOver(shown, path)
    // Before it is where clients look for it: nobody can connect before the mode is right.
    await restrictSocket(bound)
    await giveTo(bound, group, log)
    await rename(bound, path)
  } catch (error) {
    server.close()
    // A rival knocked before this one listened, and took it for dead.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const ours = await lstat(path, { bigint: true })
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const there = await lstat(path, { bigint: true }).catch(ifMissing)
    // The number of an inode is used again once it is free, the moment of its birth is not.
    const isOurs = there?.ino === ours.ino && there.birthtimeNs === ours.birthtimeNs
    // While it still listens: as soon as it does not, another may put his own there.
    if (isOurs) await unlink(path).catch(ifMissing)
    // The listener's own close waits for connections, so they go first.
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
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

const BESIDE = /^\.[0-9a-f]{8}$/

/** Whether another broker listens beside `path`; what dead ones have left there is removed. */
async function hasRivals(path: string, own: string): Promise<boolean> {
  const folder = dirname(path)
  const name = basename(path)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name: other } = entry
    const isBeside = other.startsWith(name) && BESIDE.test(other.slice(name.length))
    if (!isBeside || !entry.isSocket() || other === basename(own)) continue
    const reason = await knock(join(folder, other))
    if (reason?.code === 'ENOENT') continue
    if (reason?.code !== 'ECONNREFUSED') return true
    await unlink(join(folder, other)).catch(unlessAnothers)
  }
  return false
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

/** What nobody listens on is in nobody's way, even where only its owner may remove it. */
function unlessAnothers(error: NodeJS.ErrnoException): void {
  if (!['ENOENT', 'EPERM', 'EACCES'].includes(error.code ?? '')) throw error
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
