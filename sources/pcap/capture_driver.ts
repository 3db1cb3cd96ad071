/** What captures packets from an interface. Not a component. */
import type { CapturedBlock } from '../../protocols/pcap/captured_block.ts'

export interface CaptureOptions {
  /** In the language of pcap-filter(7); empty: all packets. */
  readonly filter: string
  /** bytes of a packet that are kept */
  readonly snaplen: number
  /** bytes the kernel keeps for us until they are read */
  readonly buffer: number
  /** whether each packet is handed on when it comes, instead of many at a time */
  readonly immediate: boolean
  readonly promiscuous: boolean
}

/** One capture, from its start until it ends, of itself or because it was stopped. */
export interface RunningCapture {
  /** The packets, to be read once; ends with the capture. */
  blocks(): AsyncGenerator<CapturedBlock, void>
  /** Ends it within half a second, whoever reads or does not; more than once does no harm. */
  stop(): void
  /** Why it ended, when it has; made safe to show. */
  readonly reason: string
}

export interface CaptureDriver {
  readonly name: 'tcpdump' | 'libpcap'
  /** @throws {EngineError} `CAPTURE_FILTER` where the filter can be of no use anywhere */
  checkFilter(filter: string): Promise<void>
  /** @param name of the interface */
  start(name: string): RunningCapture
}
