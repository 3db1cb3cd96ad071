/** Many clients of one stream, each of which comes back when it is cut off, and what they are told. */
import { type ClientRequest, request } from 'node:http'
import { openBus } from '../../bus/open_bus.ts'
import { liveClock } from '../../engine/clock.ts'
import { silentLog } from '../../engine/context.ts'
import { UnavailableError } from '../../engine/index.ts'
import { SseParser } from '../../protocols/sse.ts'

/** Before connecting again, ms: spread, as pages are. */
const WAIT = [50, 400] as const

/** One page: what it has been told, over all its connections. */
export class Member {
  /** `n` of the payloads, in the order they came */
  readonly numbers: number[] = []
  /** names of events, where they are not `formed` */
  readonly others: string[] = []
  readonly gaps: unknown[] = []
  connections = 0
  readonly #url: string
  readonly #headers: Record<string, string> = {}
  #request: ClientRequest | undefined
  #closed = false

  constructor(url: string) {
    this.#url = url
    this.#connect()
  }

  close(): void {
    this.#closed = true
    this.#request?.destroy()
  }

  #connect(): void {
    if (this.#closed) return
    const parser = new SseParser()
    const again = () => {
      if (this.#request === asked) setTimeout(() => this.#connect(), between(...WAIT))
      this.#request = undefined
    }
    const asked = request(this.#url, { headers: this.#headers, agent: false })
    this.#request = asked
    asked.on('error', again)
    asked.on('response', (response) => {
      if (response.statusCode === 200) this.connections += 1
      response.on('error', again)
      response.on('close', again)
      response.on('data', (chunk: Buffer) => {
        for (const { type, data, lastEventId } of parser.push(chunk)) {
          if (lastEventId !== '') this.#headers['last-event-id'] = lastEventId
          if (type === 'formed') this.numbers.push(JSON.parse(data).payload.n)
          else this.others.push(type)
          if (type === 'gap') this.gaps.push(JSON.parse(data).missed)
        }
      })
    })
    asked.end()
  }
}

const between = (low: number, high: number) => low + Math.random() * (high - low)

/** Between two events, ms. */
const EVERY = 25

/** Says numbers on the bus, from 1 on, until it is stopped. */
export async function narrate(env: Readonly<Record<string, string>>) {
  const bus = await openBus(env, { name: 'narrator', clock: liveClock, log: silentLog })
  const connection = await bus.connect('narrator')
  let said = 0
  let stopped = false
  const tell = async (n: number) => {
    const id = n.toString(16).padStart(32, '0')
    const payload = { n, identity_uuid: `i${n % 7}`, observation_uuids: ['a', 'b'] }
    const message = { id, topic: 'identity.formed', type: 'formed', ts: 1_772_355_600, payload }
    try {
      await (connection.store ? connection.store([message]) : connection.publish(message))
      said = n
    } catch (error) {
      // Not connected yet: the same is said again.
      if (!(error instanceof UnavailableError)) throw error
    }
  }
  const done = (async () => {
    while (!stopped) {
      await tell(said + 1)
      await new Promise((resolve) => setTimeout(resolve, EVERY))
    }
  })()
  return {
    said: () => said,
    async stop(): Promise<number> {
      stopped = true
      await done
      await connection.close()
      await bus.close()
      return said
    },
  }
}
