/** Choices of whoever uses this browser: how times are shown, and the theme. */
import { useSyncExternalStore } from 'react'

type Listener = () => void

/** One choice, kept in this browser where that is allowed. */
class Choice<T extends string> {
  readonly #key: string
  readonly #allowed: readonly T[]
  readonly #listeners = new Set<Listener>()
  #value: T

  constructor(key: string, allowed: readonly [T, ...T[]]) {
    this.#key = key
    this.#allowed = allowed
    this.#value = this.#stored() ?? allowed[0]
  }

  read = (): T => this.#value

  listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  choose(value: T): void {
    this.#value = value
    try {
      localStorage.setItem(this.#key, value)
    } catch (error) {
      console.warn('a choice is not kept', error)
    }
    for (const listener of this.#listeners) listener()
  }

  #stored(): T | undefined {
    try {
      const found = localStorage.getItem(this.#key)
      return this.#allowed.find((one) => one === found)
    } catch (error) {
      console.warn('choices are not kept', error)
      return undefined
    }
  }
}

const theme = new Choice('decnet.theme', ['system', 'light', 'dark'])
const times = new Choice('decnet.times', ['relative', 'absolute'])

export type Theme = 'system' | 'light' | 'dark'

export function chooseTheme(value: Theme): void {
  theme.choose(value)
  if (value === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = value
}

export const useTheme = (): Theme => useSyncExternalStore(theme.listen, theme.read)

const isDark = matchMedia('(prefers-color-scheme: dark)')
const listenToSystem = (listener: Listener): (() => void) => {
  isDark.addEventListener('change', listener)
  return () => isDark.removeEventListener('change', listener)
}

/** What is seen: the system may change its mind at dusk. */
export function useShownTheme(): Exclude<Theme, 'system'> {
  const system = useSyncExternalStore(listenToSystem, () => (isDark.matches ? 'dark' : 'light'))
  const chosen = useTheme()
  return chosen === 'system' ? system : chosen
}

export type Times = 'relative' | 'absolute'

export const chooseTimes = (value: Times): void => times.choose(value)
export const useTimes = (): Times => useSyncExternalStore(times.listen, times.read)
