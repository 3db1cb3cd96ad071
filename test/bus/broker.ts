/** A broker on a socket of its own, and peers that speak bytes to it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Broker } from '../../bus/broker.ts'
import { type BrokerSocket, listenForPeers } from '../../bus/broker_socket.ts'
import { encodeFrame, FrameDecoder, type Verb } from '../../bus/frame.ts'

export interface Said {
  readonly verb: Verb
  readonly args: string
  readonly body: Record<string, unknown>
}

/** A peer without a library. */
export class RawPeer {
  readonly socket: Socket
  readonly frames: Said[] = []
  readonly closed: Promise<void>
  #wake: (() => void) | undefined

  constructor(path: string) {
    this.socket = connect(path)
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.on('error', () => {
      // Told by `closed`.
    })
    const decoder = new FrameDecoder()
    this.socket.on('data', (chunk: Buffer) => {
      decoder.push(chunk)
      for (let frame = decoder.take(); frame; frame = decoder.take()) {
        const text = Buffer.from(frame.body).toString()
        this.frames.push({ ...frame, body: text === '' ? {} : JSON.parse(text) })
      }
      this.#wake?.()
    })
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes)
  }
  say(verb: Verb, args: string, body: object | string = ''): void {
    this.send(encodeFrame(verb, args, typeof body === 'string' ? body : JSON.stringify(body)))
  }
  /** @returns the frames there are once there are as many */
  async heard(count: number): Promise<readonly Said[]> {
    while (this.frames.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.frames
  }
}

export interface TestBroker {
  readonly broker: Broker
  readonly path: string
  readonly said: string[]
  readonly socket: BrokerSocket
  peer(): RawPeer
  /** A peer that has subscribed, once the broker knows. */
  listener(...patterns: string[]): Promise<RawPeer>
  close(): Promise<void>
}

export async function startBroker(): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'decnet-bus-'))
  const path = join(folder, 'bus.sock')
  const said: string[] = []
  const say = (_fields: object, message: string) => {
    said.push(message)
  }
  let minted = 0
  const broker = new Broker({
    clock: { live: true, now: () => Date.now() },
    nextId: () => (minted++).toString(16).padStart(32, '0'),
    log: { debug: say, info: say, warn: say, error: say },
  })
  const socket = await listenForPeers(broker, { path, group: 'nobody-here', log: silent })
  const peers: RawPeer[] = []
  const peer = () => {
    const made = new RawPeer(path)
    peers.push(made)
    return made
  }
  return {
    broker,
    path,
    said,
    socket,
    peer,
    async listener(...patterns) {
      const reader = peer()
      for (const pattern of patterns) reader.say('SUB', pattern)
      await knows(reader, peer())
      return reader
    },
    async close() {
      await socket.close()
      for (const { socket: end } of peers) end.destroy()
      rmSync(folder, { recursive: true })
    },
  }
}

/** SUB has no answer: a message behind it has, and frames of one connection are obeyed in order. */
async function knows(reader: RawPeer, other: RawPeer): Promise<void> {
  const topic = `test.ready-${ready++}`
  reader.say('SUB', topic)
  while (!reader.frames.some(({ args }) => args === topic)) {
    other.say('PUB', topic)
    await Promise.race([reader.heard(1), new Promise((resolve) => setTimeout(resolve, 5))])
  }
  other.say('BYE', '')
  await other.closed
  reader.say('UNSUB', topic)
  reader.frames.length = 0
}
let ready = 0

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
