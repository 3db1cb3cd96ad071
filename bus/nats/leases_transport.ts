/**
 * Which parts of a topic this process reads: leases in a bucket whose entries vanish by themselves.
 * Every process of a group notes that it is there; each takes its share of the parts and gives back
 * what is more, so that the parts are spread anew when one comes or goes.
 */
import type { KV } from '@nats-io/kv'
import { pause } from '../../engine/index.ts'
import type { BusLog, Link, Session } from './link_transport.ts'

/** ms after which what is not renewed is gone, and between two renewals */
const LEASE = 10_000
const RENEW = 2500
/** ms after which a lease that could not be renewed must be believed lost: before it is. */
const DOUBT = LEASE - RENEW

export interface LeasesOptions {
  readonly link: Link
  readonly log: BusLog
  readonly prefix: string
  /** of the group; as a name of NATS */
  readonly name: string
  readonly count: number
  readonly onClaimed: (index: number) => void
  readonly onLost: (index: number) => Promise<void>
  /** Resolves when the part may be read by another. */
  readonly release: (index: number) => Promise<void>
}

interface Lease {
  revision: number
  renewed: number
  leaving: boolean
}

export class PartitionLeases {
  readonly #options: LeasesOptions
  readonly #held = new Map<number, Lease>()
  readonly #stop = new AbortController()
  readonly #me = Math.floor(Math.random() * 2 ** 48).toString(16)
  readonly #running: Promise<void>
  #releasing: Promise<void>[] = []

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Claims no more; what is held stays so until `end`. */
  finish(): void {
    this.#stop.abort()
  }

  /** Gives everything back. */
  async end(): Promise<void> {
    this.finish()
    await this.#running
    await Promise.all(this.#releasing)
    const session = this.#options.link.current
    if (!session?.isOpen) return
    const bucket = await this.#bucket(session)
    await bucket.delete(this.#memberKey)
    for (const [index, { revision }] of this.#held) {
      await bucket.delete(this.#key(index), { previousSeq: revision }).catch(anothers)
    }
    this.#held.clear()
  }

  get #memberKey(): string {
    return `${this.#options.name}.member.${this.#me}`
  }

  #key(index: number): string {
    return `${this.#options.name}.part.${index}`
  }

  async #bucket(session: Session): Promise<KV> {
    const { Kvm } = await import('@nats-io/kv')
    const name = bucketOf(this.#options.prefix)
    return new Kvm(session.js).create(name, { ttl: LEASE, history: 1 })
  }

  async #run(): Promise<void> {
    const { link, log } = this.#options
    const { signal } = this.#stop
    let failing = false
    while (!signal.aborted && !link.isClosed) {
      const session = link.current
      try {
        if (session?.isOpen) await this.#round(session)
        failing = false
      } catch (error) {
        const { name, message } = error as Error
        if (!failing) log.warn({ group: this.#options.name, name, message }, 'leases: trying on')
        failing = true
      }
      await this.#dropDoubtful()
      await pause(RENEW * (0.5 + Math.random() / 2), signal)
    }
  }

  /** Says that this process is there, renews what it holds, and takes or gives back. */
  async #round(session: Session): Promise<void> {
    const bucket = await this.#bucket(session)
    await bucket.put(this.#memberKey, '')
    for (const [index, lease] of this.#held) {
      try {
        lease.revision = await bucket.update(this.#key(index), this.#me, lease.revision)
        lease.renewed = performance.now()
      } catch (error) {
        if (!isAnothers(error)) throw error
        await this.#lose(index)
      }
    }
    const members = await this.#members(session, bucket)
    const share = Math.ceil(this.#options.count / Math.max(1, members))
    const staying = [...this.#held].filter(([, { leaving }]) => !leaving)
    for (const [index] of staying.slice(share)) this.#giveBack(index)
    let room = share - this.#held.size
    // Each begins elsewhere, so that those who come together do not all try the same ones.
    const first = Number.parseInt(this.#me.slice(-6), 16)
    for (let step = 0; step < this.#options.count && room > 0; step++) {
      const index = (first + step) % this.#options.count
      if (this.#held.has(index)) continue
      const asked = performance.now()
      try {
        const revision = await bucket.create(this.#key(index), this.#me)
        this.#held.set(index, { revision, renewed: asked, leaving: false })
        room -= 1
        this.#options.onClaimed(index)
      } catch (error) {
        if (!isAnothers(error)) throw error
      }
    }
  }

  /**
   * How many processes there are. Asked of the stream behind the bucket: the client's own list of
   * keys leaves a consumer behind for minutes, each time.
   */
  async #members(session: Session, bucket: KV): Promise<number> {
    const { prefix, name } = this.#options
    const filter = `$KV.${bucketOf(prefix)}.${name}.member.>`
    const stream = `KV_${bucketOf(prefix)}`
    const { state } = await session.jsm.streams.info(stream, { subjects_filter: filter })
    let members = 0
    for (const subject of Object.keys(state.subjects ?? {})) {
      const entry = await bucket.get(subject.slice(`$KV.${bucketOf(prefix)}.`.length))
      if (entry?.operation === 'PUT') members += 1
    }
    return members
  }

  #giveBack(index: number): void {
    const lease = this.#held.get(index) as Lease
    lease.leaving = true
    const done = this.#options.release(index).then(async () => {
      const session = this.#options.link.current
      const { revision } = this.#held.get(index) ?? lease
      this.#held.delete(index)
      if (!session?.isOpen) return
      const bucket = await this.#bucket(session)
      await bucket.delete(this.#key(index), { previousSeq: revision }).catch(anothers)
    })
    const settled = done.catch((error: Error) => {
      // It runs out by itself then.
      this.#options.log.warn({ name: error.name }, 'a lease could not be given back')
    })
    this.#releasing.push(settled)
    void settled.finally(() => {
      this.#releasing = this.#releasing.filter((one) => one !== settled)
    })
  }

  /** What may be another's by now is no longer read here. */
  async #dropDoubtful(): Promise<void> {
    const now = performance.now()
    for (const [index, { renewed }] of this.#held) {
      if (now - renewed > DOUBT) await this.#lose(index)
    }
  }

  async #lose(index: number): Promise<void> {
    this.#held.delete(index)
    this.#options.log.warn({ group: this.#options.name, part: index }, 'a lease has run out')
    await this.#options.onLost(index)
  }
}

const bucketOf = (prefix: string): string => `${prefix}_leases`

/** Whether somebody else has written the entry meanwhile. */
function isAnothers(error: unknown): boolean {
  return (error as { code?: unknown }).code === 10071
}

function anothers(error: unknown): void {
  if (!isAnothers(error)) throw error
}
