/** The time, for all that is shown in words like "2 m ago": one timer for the whole page. */
import { useSyncExternalStore } from 'react'

const EVERY = 5000

let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

function listen(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    now = Date.now()
    timer = setInterval(() => {
      now = Date.now()
      for (const one of listeners) one()
    }, EVERY)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** @returns ms since the Unix epoch, a few seconds old at most */
export const useNow = (): number => useSyncExternalStore(listen, () => now)
