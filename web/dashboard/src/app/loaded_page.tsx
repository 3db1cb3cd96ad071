/** Pages that are loaded when they are first gone to. */
import { type ComponentType, useEffect, useState } from 'react'
import { Skeleton } from '../components/state.tsx'

/** The code of one page. */
export class PageCode {
  readonly #load: () => Promise<ComponentType>
  #loading: Promise<void> | undefined
  loaded: ComponentType | undefined

  constructor(load: () => Promise<ComponentType>) {
    this.#load = load
  }

  begin(): Promise<void> {
    this.#loading ??= this.#load().then(
      (made) => {
        this.loaded = made
      },
      (error: unknown) => {
        // The next visit tries again.
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }

  /** Before it is known that the page may be shown; what goes wrong is told when it is. */
  preload(): void {
    this.begin().catch((error: unknown) => console.warn(error))
  }
}

/**
 * React's own `lazy` shows what was loaded no sooner than 300 ms after it has shown that something is
 * loading, and a page asks for its rows only when it is shown.
 */
export function LoadedPage({ code }: { code: PageCode }) {
  const [fault, setFault] = useState<unknown>()
  const [, setDone] = useState(code.loaded !== undefined)
  useEffect(() => {
    if (code.loaded === undefined) code.begin().then(() => setDone(true), setFault)
  }, [code])
  if (fault !== undefined) throw fault
  const { loaded: Loaded } = code
  return Loaded ? <Loaded /> : <Skeleton lines={12} />
}
