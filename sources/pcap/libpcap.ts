/** Captures with libpcap in this process, by the npm package `pcap`. Not a component. */
import { type Context, EngineError } from '../../engine/index.ts'
import type { CapturedBlock } from '../../protocols/pcap/captured_block.ts'
import { quote } from '../../protocols/quote.ts'
import type { CaptureDriver, CaptureOptions, RunningCapture } from './capture_driver.ts'
import { LibpcapCapture, type Pcap } from './libpcap_capture.ts'

/** @returns the driver, or why the package cannot be loaded */
export async function loadLibpcap(
  options: CaptureOptions,
  context: Context,
): Promise<CaptureDriver | string> {
  let pcap: Pcap
  try {
    pcap = ((await import('pcap')) as unknown as { default: Pcap }).default
  } catch (error) {
    // Not installed, not built, or built for another Node: the first line says which.
    if (error instanceof Error) return quote(error.message.split('\n', 1)[0] ?? '', 300)
    throw error
  }
  return {
    name: 'libpcap',
    // Only an open interface can tell.
    checkFilter: async () => undefined,
    start: (name) => open(pcap, name, options, context),
  }
}

/** What libpcap says of a filter that it cannot read. */
const BAD_FILTER = /filter expression|syntax error|expression rejects/

function open(pcap: Pcap, name: string, options: CaptureOptions, context: Context): RunningCapture {
  // It would say so on the terminal where an interface has no IPv4 address.
  pcap.warningHandler = () => undefined
  try {
    return new LibpcapCapture(pcap, name, options, context)
  } catch (error) {
    const message = quote(error instanceof Error ? error.message : String(error), 300)
    if (!BAD_FILTER.test(message)) return failed(message)
    const text = `libpcap refuses the filter ${quote(options.filter)}: ${message}`
    throw new EngineError('CAPTURE_FILTER', text, { cause: error })
  }
}

/** A capture that could not be begun, e.g. for want of the right to. */
const failed = (reason: string): RunningCapture => ({
  reason,
  stop: () => undefined,
  async *blocks(): AsyncGenerator<CapturedBlock, void> {
    // Nothing was captured.
  },
})
