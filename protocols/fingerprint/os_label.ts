/** A coarse name of the sender's TCP stack: a table of nine rows, and three rows for scanners. */
import { initialTtl } from './initial_ttl.ts'

export interface StackFeatures {
  /** as captured */
  readonly ttl: number
  readonly window: number
  /** 0 where there is none */
  readonly mss: number
  /** -1 where there is none */
  readonly windowScale: number
  /** see options_sig.ts */
  readonly optionsSig: string
}

export type OsLabel =
  | 'nmap'
  | 'zmap'
  | 'masscan'
  | 'macos_ios'
  | 'freebsd'
  | 'linux'
  | 'openbsd'
  | 'windows'
  | 'embedded'
  | 'unknown'

/**
 * The first row that fits. The SYN of `nmap -sS` comes ahead of the table, which does not know it; for
 * the other scanners ask `osGuess` of syn_fingerprint.ts.
 */
export function osLabel(stack: StackFeatures): OsLabel {
  const { ttl, window, mss, windowScale: scale, optionsSig: options } = stack
  if (ttl <= 64 && mss === 1460 && options === 'M' && SYN_SCAN_WINDOWS.has(window)) return 'nmap'
  switch (initialTtl(ttl)) {
    case 64:
      return unixLabel(stack)
    case 128:
      if (window >= 8192 && WINDOWS_SCALES.has(scale) && options.includes('S')) return 'windows'
      return window === 8192 || window === 16384 || window === 65535 ? 'windows' : 'unknown'
    case 255:
      return 'embedded'
    default:
      return 'unknown'
  }
}

function unixLabel({ window, mss, windowScale: scale, optionsSig: options }: StackFeatures) {
  if (NMAP_WINDOWS.has(window)) {
    if (scale === 10 && mss === 1460 && options === 'M,W,T,S,S') return 'nmap'
    if (options.startsWith('M,W,T,S')) return 'nmap'
  }
  const sack = options.includes('S')
  const timestamps = options.includes('T')
  if (window === 65535) {
    if (scale === 6 && options === 'M,N,W,N,N,T,S,E') return 'macos_ios'
    if ((scale === 5 || scale === 6) && timestamps && options.endsWith('E')) return 'macos_ios'
    if (scale === 6 && sack && timestamps && !options.includes('E')) return 'freebsd'
  }
  if (window >= 5000 && scale >= 6 && scale <= 14 && sack && timestamps) return 'linux'
  if ((window === 16384 || window === 16960) && scale >= 3 && scale <= 6) return 'openbsd'
  return 'unknown'
}

/** The addresses a packet went to, as numbers; without them masscan is not told. */
export interface ScannedPort {
  /** IPv4 address, unsigned 32 bits */
  readonly address: number
  readonly port: number
}

/**
 * Tells the scanners that keep no state by what they put into the IP-ID instead: zmap a constant,
 * masscan a value made from the target, so that it knows its own packets again. One SYN in 65536 of
 * any other sender looks the same by chance.
 * @param syn an IPv4 SYN; IPv6 has no IP-ID
 */
export function statelessScanner(
  syn: { readonly ipVersion: 4 | 6; readonly ipId: number; readonly seq: number },
  target?: ScannedPort,
): 'zmap' | 'masscan' | undefined {
  if (syn.ipVersion !== 4) return undefined
  if (syn.ipId === ZMAP_IP_ID) return 'zmap'
  if (!target) return undefined
  const cookie = (target.address ^ target.port ^ syn.seq) & 0xffff
  return syn.ipId === cookie ? 'masscan' : undefined
}

const ZMAP_IP_ID = 54321
const SYN_SCAN_WINDOWS = new Set([1024, 2048, 3072, 4096])
const NMAP_WINDOWS = new Set([1024, 2048, 3072, 4096, 31337, 32768, 65535])
const WINDOWS_SCALES = new Set([2, 6, 7, 8])
