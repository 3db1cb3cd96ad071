/** A process that serves a socket when it is told to, and tells what came of it. */
import { Broker } from '../../bus/broker.ts'
import { type BrokerSocket, listenForPeers } from '../../bus/broker_socket.ts'

/** `path`: serve there; `close`: no more. */
export type Task = { readonly path: string } | { readonly close: true }

export interface Outcome {
  readonly listening?: boolean
  /** why not */
  readonly refused?: string
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
let socket: BrokerSocket | undefined

async function obey(task: Task): Promise<Outcome> {
  if ('close' in task) {
    await socket?.close()
    return { listening: false }
  }
  const { path } = task
  const broker = new Broker({
    clock: { live: true, now: () => 0 },
    nextId: () => '0'.repeat(32),
    log: silent,
  })
  try {
    socket = await listenForPeers(broker, { path, group: 'nobody-here', log: silent })
    return { listening: true }
  } catch (error) {
    return { refused: (error as Error).message }
  }
}

process.on('message', (task: Task) => void obey(task).then((outcome) => process.send?.(outcome)))
process.once('disconnect', () => process.exit())
process.send?.({})
