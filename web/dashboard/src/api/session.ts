/** The token of whoever is logged in: in memory, and for reloads in the storage of this tab alone. */

const KEY = 'decnet.token'

type Listener = () => void

let token: string | undefined = readStored()
const listeners = new Set<Listener>()

function readStored(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined
  } catch (error) {
    // Storage may be forbidden; the session then ends with the page.
    console.warn('the session is not kept over reloads', error)
    return undefined
  }
}

export const currentToken = (): string | undefined => token

/** @param next undefined: logged out */
export function setToken(next: string | undefined): void {
  token = next
  try {
    if (next === undefined) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, next)
  } catch (error) {
    console.warn('the session is not kept over reloads', error)
  }
  for (const listener of listeners) listener()
}

export function onToken(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
