/** One capture by the binding to libpcap, made bounded and stoppable. Not a component. */
import { type Context, EngineError, every } from '../../engine/index.ts'
import { isLinkType } from '../../protocols/packet/link_layer.ts'
import { BlockBuilder, type CapturedBlock } from '../../protocols/pcap/captured_block.ts'
import { quote } from '../../protocols/quote.ts'
import type { CaptureOptions, RunningCapture } from './capture_driver.ts'

/** The part of the package that is used. */
export interface Pcap {
  warningHandler: (text: string) => void
  createSession(
    name: string,
    options: {
      readonly filter: string
      readonly snap_length: number
      readonly buffer_size: number
      readonly buffer_timeout: number
      readonly promiscuous: boolean
    },
  ): Session
}

interface Session {
  readonly link_type: string
  readonly buf: Buffer
  /** seconds, microseconds, bytes captured, bytes on the wire: four words of the host's order */
  readonly header: Buffer
  readonly session: Binding
  on(event: 'packet', heard: () => void): void
  close(): void
  stats(): { readonly ps_drop: number; readonly ps_ifdrop: number }
}

interface Binding {
  read_callback: () => void
  /** Hands out what is there, packet by packet. @returns below zero: that was the end */
  dispatch(packet: Buffer, header: Buffer): number
}

/** ms after which the kernel hands out a piece of its memory that is not full */
const LATENCY = 100
const COUNTERS_EVERY = 30_000
/** Packets are gathered in pieces of memory of this size. */
const PIECE_BYTES = 256 * 1024
/** Blocks that wait to be read; what comes then is dropped, for the binding cannot be held back. */
const MOST_BLOCKS = 256

const LINK_TYPES: Readonly<Record<string, number>> = {
  LINKTYPE_NULL: 0,
  LINKTYPE_ETHERNET: 1,
  LINKTYPE_RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
}

/** The binding frees a closed session with its wrapper, while the event loop still knows its handle. */
const kept: Binding[] = []

export class LibpcapCapture implements RunningCapture {
  reason = 'stopped'
  readonly #context: Pick<Context, 'count'>
  readonly #session: Session
  readonly #linkType: number
  readonly #cancel: () => void
  readonly #dropped = { kernel: 0, interface: 0 }
  readonly #waiting: CapturedBlock[] = []
  #piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  #used = 0
  #block: BlockBuilder
  #isEnded = false
  #wake: (() => void) | undefined

  /** @throws {Error} where the interface cannot be opened, or the filter not be read */
  constructor(
    pcap: Pcap,
    name: string,
    { filter, snaplen, buffer, promiscuous }: CaptureOptions,
    context: Pick<Context, 'count'>,
  ) {
    this.#context = context
    this.#session = pcap.createSession(name, {
      filter,
      snap_length: snaplen,
      buffer_size: buffer,
      buffer_timeout: LATENCY,
      promiscuous,
    })
    const { session, link_type } = this.#session
    kept.push(session)
    this.#block = new BlockBuilder(this.#piece)
    this.#session.on('packet', () => this.#take())
    session.read_callback = () => this.#read()
    this.#cancel = every(COUNTERS_EVERY, () => this.#count())
    this.#linkType = LINK_TYPES[link_type] ?? Number(/\d+$/.exec(link_type)?.[0] ?? -1)
    if (isLinkType(this.#linkType)) return
    this.stop()
    const message = `${quote(name)}: unsupported linktype ${quote(link_type)}`
    throw new EngineError('CAPTURE_LINK_TYPE', message)
  }

  async *blocks(): AsyncGenerator<CapturedBlock, void> {
    try {
      for (;;) {
        const block = this.#waiting.shift()
        if (block) yield block
        else if (this.#isEnded) return
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      this.stop()
    }
  }

  stop(): void {
    if (this.#isEnded) return
    this.#count()
    this.#cancel()
    this.#isEnded = true
    const { session, buf, header } = this.#session
    this.#session.close()
    // It lets go of the interface only when it is read once more, which on a silent one is never.
    session.dispatch(buf, header)
    this.#wake?.()
  }

  #read(): void {
    if (this.#isEnded) return
    const { session, buf, header } = this.#session
    const read = session.dispatch(buf, header)
    this.#flush()
    if (read >= 0) return
    this.reason = 'the interface cannot be read any more'
    this.stop()
  }

  /** Must not throw: the binding would end the process. */
  #take(): void {
    if (this.#isEnded) return
    const { buf, header } = this.#session
    const length = Math.min(header.readUInt32LE(8), buf.length)
    if (this.#used + length > this.#piece.length) this.#begin(length)
    if (this.#waiting.length >= MOST_BLOCKS) {
      this.#context.count('queue_dropped')
      return
    }
    buf.copy(this.#piece, this.#used, 0, length)
    const time = (header.readUInt32LE(0) * 1e6 + header.readUInt32LE(4)) / 1000
    this.#block.add(this.#used, length, header.readUInt32LE(12), time, this.#linkType)
    this.#used += length
  }

  #begin(least: number): void {
    this.#flush()
    this.#piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, least))
    this.#used = 0
    this.#block = new BlockBuilder(this.#piece)
  }

  #flush(): void {
    if (this.#block.count === 0) return
    this.#waiting.push(this.#block)
    this.#block = new BlockBuilder(this.#piece)
    this.#wake?.()
  }

  #count(): void {
    const { ps_drop, ps_ifdrop } = this.#session.stats()
    const { kernel, interface: before } = this.#dropped
    if (ps_drop > kernel) this.#context.count('kernel_dropped', ps_drop - kernel)
    if (ps_ifdrop > before) this.#context.count('interface_dropped', ps_ifdrop - before)
    this.#dropped.kernel = ps_drop
    this.#dropped.interface = ps_ifdrop
  }
}
