/** Which interface to capture on, and whether it is there. Not a component. */
import { readFile } from 'node:fs/promises'
import type { Context } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'

/** An interface as a pipeline may name it: no option of tcpdump, no path, and no number of one. */
export const INTERFACE_NAME = /^[A-Za-z_][A-Za-z0-9_.:@-]{0,14}$/

/** What the deployer makes where it has not been told of the parent, in this order. */
const HELPER_LINKS = ['decnet_macvlan0', 'decnet_ipvlan0']

/** All interfaces at once, an invention of libpcap. */
const ANY = 'any'

const IFF_UP = 1

export interface InterfaceOptions {
  /** undefined: it is to be found */
  readonly interface: string | undefined
  readonly state_file: string
}

export interface ChosenInterface {
  readonly name: string
  /** Why this one, for the log. */
  readonly because: 'configured' | 'parent of the deckies' | 'helper link'
}

/** Tells which interface to capture on, and logs when it goes and comes, and nothing in between. */
export class InterfaceWatch {
  readonly #options: InterfaceOptions
  readonly #context: Pick<Context, 'log'>
  /** The last that was there; null: there was none; undefined: nobody has looked. */
  #last: string | null | undefined
  #stateFailure = ''

  constructor(options: InterfaceOptions, context: Pick<Context, 'log'>) {
    this.#options = options
    this.#context = context
  }

  /** @returns the interface to capture on; undefined where it is not there, or not up */
  async look(): Promise<string | undefined> {
    const chosen = await this.#choose()
    const isThere = chosen !== undefined && (await isUp(chosen.name))
    const now = isThere ? chosen.name : null
    if (now !== this.#last) this.#say(chosen, isThere)
    this.#last = now
    return now ?? undefined
  }

  /** Whether another interface is to be captured on than `name`; that `name` is gone does not count. */
  async prefersOther(name: string): Promise<boolean> {
    const chosen = await this.#choose()
    return chosen !== undefined && chosen.name !== name && (await isUp(chosen.name))
  }

  /**
   * A macvlan child sees what is sent to it and not what is sent to its siblings, the deckies; their
   * parent sees both, so it comes first.
   */
  async #choose(): Promise<ChosenInterface | undefined> {
    const { interface: configured } = this.#options
    if (configured !== undefined) return { name: configured, because: 'configured' }
    const parent = await this.#parent()
    if (parent !== undefined && (await flagsOf(parent)) !== undefined) {
      return { name: parent, because: 'parent of the deckies' }
    }
    for (const name of HELPER_LINKS) {
      if ((await flagsOf(name)) !== undefined) return { name, because: 'helper link' }
    }
    return undefined
  }

  /** `config.interface` of the state file; without a file nothing is deployed. */
  async #parent(): Promise<string | undefined> {
    const { state_file } = this.#options
    try {
      const parent = interfaceIn(JSON.parse(await readFile(state_file, 'utf8')))
      this.#stateFailure = ''
      return parent
    } catch (error) {
      if (isAbsent(error)) return undefined
      const message = quote(error instanceof Error ? error.message : String(error))
      if (message !== this.#stateFailure) {
        this.#context.log.warn({ state_file, reason: message }, 'cannot read the state file')
      }
      this.#stateFailure = message
      return undefined
    }
  }

  #say(chosen: ChosenInterface | undefined, isThere: boolean): void {
    const { log } = this.#context
    const fields = chosen && { interface: chosen.name, because: chosen.because }
    if (isThere) log.info({ ...fields }, 'capturing')
    else if (!fields) log.warn({}, 'there is no interface to capture on; waiting for one')
    else log.warn(fields, 'the interface is not there or not up; waiting for it')
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

function interfaceIn(state: unknown): string | undefined {
  const { config } = (state ?? {}) as { config?: { interface?: unknown } | null }
  const name = config?.interface
  return typeof name === 'string' && INTERFACE_NAME.test(name) ? name : undefined
}

async function isUp(name: string): Promise<boolean> {
  return name === ANY || (((await flagsOf(name)) ?? 0) & IFF_UP) !== 0
}

/** @returns the flags of `netdevice(7)`; undefined where there is no such interface */
async function flagsOf(name: string): Promise<number | undefined> {
  try {
    return Number(await readFile(`/sys/class/net/${name}/flags`, 'utf8'))
  } catch (error) {
    // It may also go while it is being read (EINVAL, ENODEV): then it is gone all the same.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
