/** Takes the path of a unix socket, but not from a living owner. */
import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { UnavailableError } from '../engine/index.ts'

/** Owner and group may write: deckies' daemons share a group with us. */
const SOCKET_MODE = 0o660

/**
 * Removes a socket that nobody listens on any more.
 * @param text the address as it stands in the pipeline file
 * @throws {UnavailableError} as `isLeftOver`
 */
export async function claimSocketPath(text: string, path: string): Promise<void> {
  if (await isLeftOver(text, path)) await unlink(path)
}

/**
 * @param text the address as the user wrote it
 * @returns whether a socket is there that nobody listens on any more; false: nothing is there
 * @throws {UnavailableError} `LISTEN` where somebody does, or the path is no socket
 */
export async function isLeftOver(text: string, path: string): Promise<boolean> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotListen(text, error)
  })
  if (!stats) return false
  if (!stats.isSocket()) {
    throw new UnavailableError('LISTEN', `cannot listen on ${text}: the path is not a socket`)
  }
  const reason = await knock(path)
  if (reason === undefined) {
    throw new UnavailableError('LISTEN', `cannot listen on ${text}: another process does`)
  }
  if (reason.code === 'ENOENT') return false
  if (reason.code !== 'ECONNREFUSED') throw cannotListen(text, reason)
  return true
}

/** @returns why nobody answers, or undefined where somebody does */
export function knock(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', resolve)
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
  })
}

/** Lets the group write, and nobody else. */
export const restrictSocket = (path: string): Promise<void> => chmod(path, SOCKET_MODE)

/** @param address as the user wrote it */
export function cannotListen(address: string, error: NodeJS.ErrnoException): UnavailableError {
  const reason = error.code ?? error.message
  return new UnavailableError('LISTEN', `cannot listen on ${address}: ${reason}`, { cause: error })
}
