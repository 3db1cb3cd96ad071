/** Chooses what captures. Not a component. */
import { type Context, UnavailableError } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'
import type { CaptureDriver, CaptureOptions } from './capture_driver.ts'
import { findTcpdump, tcpdumpDriver } from './tcpdump.ts'

export interface DriverOptions extends CaptureOptions {
  readonly driver: 'auto' | 'tcpdump' | 'libpcap'
  readonly tcpdump: string
}

/** @throws {UnavailableError} `CAPTURE_DRIVER` where there is none */
export async function chooseDriver(
  options: DriverOptions,
  context: Context,
): Promise<CaptureDriver> {
  const { driver, tcpdump } = options
  const path = driver === 'libpcap' ? undefined : findTcpdump(tcpdump)
  if (path !== undefined) return tcpdumpDriver(path, options, context)
  const noTcpdump = `there is no program ${quote(tcpdump)} (apt install tcpdump)`
  if (driver === 'tcpdump') {
    throw new UnavailableError('CAPTURE_DRIVER', `driver tcpdump: ${noTcpdump}`)
  }
  const { loadLibpcap } = await import('./libpcap.ts')
  const loaded = await loadLibpcap(options, context)
  if (typeof loaded !== 'string') return loaded
  const noLibpcap = `driver libpcap: the pcap package is not there: ${loaded}`
  const message = driver === 'libpcap' ? noLibpcap : `${noTcpdump}; ${noLibpcap}`
  throw new UnavailableError('CAPTURE_DRIVER', message)
}
