/** Lets somebody look at what leaves a port while the pipeline runs, at no cost to the other ports. */
import { defer, type Observable } from 'rxjs'
import type { Batch } from './batch.ts'

/** Told of each batch that leaves a port. Must not throw, keep the batch or touch its token. */
export type PortListener = (batch: Batch) => void

/** The ports of one graph that somebody reads, by `node` or `node.port`. */
export class PortListeners {
  readonly #ports = new Map<string, Observable<Batch>>()
  #active = 0

  /** Whether anybody listens. */
  get areActive(): boolean {
    return this.#active > 0
  }

  /** Names of the ports that something reads: nothing leaves by the others. */
  get ports(): readonly string[] {
    return [...this.#ports.keys()]
  }

  /**
   * Remembers a port once it is read. Nothing is put in the way of its batches: whoever listens
   * becomes one more reader, whom no hold on the token is kept for.
   * @param key `node` or `node.port`
   * @param batches the same ones for every reader, from the moment he subscribes
   */
  watch(key: string, batches: Observable<Batch>): Observable<Batch> {
    return defer(() => {
      this.#ports.set(key, batches)
      return batches
    })
  }

  /** @returns a function that stops listening, or undefined where there is no such port */
  add(key: string, listener: PortListener): (() => void) | undefined {
    const subscription = this.#ports.get(key)?.subscribe(listener)
    if (!subscription) return undefined
    this.#active += 1
    subscription.add(() => {
      this.#active -= 1
    })
    return () => subscription.unsubscribe()
  }
}
