import { describe, expect, it } from 'vitest'
import { hopDistance, initialTtl } from '../../../protocols/fingerprint/initial_ttl.ts'
import { dscpOf, ecnOf } from '../../../protocols/fingerprint/ip_tos.ts'
import { optionsSig } from '../../../protocols/fingerprint/options_sig.ts'
import { osLabel, statelessScanner } from '../../../protocols/fingerprint/os_label.ts'

it.each([
  [0, 32, 32],
  [1, 32, 31],
  [32, 32, 0],
  [33, 64, 31],
  [64, 64, 0],
  [65, 128, 63],
  [128, 128, 0],
  [129, 255, 64],
  [255, 255, 0],
])('takes TTL %i to have started at %i, %i hops away', (ttl, initial, hops) => {
  expect([initialTtl(ttl), hopDistance(ttl)]).toEqual([initial, hops])
})

it.each([
  [0x2a, 10, 2],
  [0x00, 0, 0],
  [0x03, 0, 3],
  [0xb8, 46, 0],
  [74, 18, 2],
])('splits ToS %i into code point %i and ECN %i', (tos, dscp, ecn) => {
  expect([dscpOf(tos), ecnOf(tos)]).toEqual([dscp, ecn])
})

it.each([
  [[2, 1, 3, 1, 1, 8, 4, 0], 'M,N,W,N,N,T,S,E'],
  [[], ''],
  [[2, 34], 'M,?'],
  [[5, 14, 15, 28, 255], 'S,A,A,U,?'],
])('spells the options %j', (kinds, letters) => expect(optionsSig(kinds)).toBe(letters))

describe('the coarse OS table', () => {
  const stack = (
    ttl: number,
    window: number,
    windowScale: number,
    sig: string,
    mss: number = 1400,
  ) => osLabel({ ttl, window, windowScale, mss, optionsSig: sig })

  it.each([
    [120, 64240, 8, 'M,N,W,N,N,S', 'windows'],
    [120, 8192, -1, 'M', 'windows'],
    [120, 8193, -1, 'M', 'unknown'],
    [57, 65535, 6, 'M,N,W,N,N,T,S,E', 'macos_ios'],
    [57, 65535, 5, 'M,T,E', 'macos_ios'],
    [50, 65535, 6, 'M,N,W,S,T', 'freebsd'],
    [50, 65535, 7, 'M,N,W,S,T', 'linux'],
    [50, 16384, 3, 'M,N,N,S,N,W,N,N,T', 'openbsd'],
    [50, 16384, 6, 'M,N,N,S,N,W,N,N,T', 'linux'],
    [250, 4128, -1, 'M', 'embedded'],
    [50, 14600, 4, 'M,S,T,N,W', 'unknown'],
    [20, 64240, 7, 'M,S,T,N,W', 'unknown'],
    [50, 2048, 0, 'M,W,T,S', 'nmap'],
  ])('says of ttl %i, window %i, scale %i, %s: %s', (ttl, window, scale, sig, label) => {
    expect(stack(ttl, window, scale, sig)).toBe(label)
  })

  it('knows the probes and the SYN scan of nmap', () => {
    expect(stack(50, 31337, 10, 'M,W,T,S,S', 1460)).toBe('nmap')
    expect(stack(50, 31337, 10, 'M,W,S', 1460)).toBe('unknown')
    expect(stack(41, 1024, -1, 'M', 1460)).toBe('nmap')
    expect(stack(41, 1024, -1, 'M', 1400)).toBe('unknown')
    expect(stack(241, 1024, -1, 'M', 1460)).toBe('embedded')
  })

  it('knows zmap and masscan by the IP-ID, over IPv4 only', () => {
    const target = { address: 0xc000020a, port: 443 }
    const cookie = (0xc000020a ^ 443 ^ 0xdeadbeef) & 0xffff
    const syn = { ipVersion: 4, ipId: cookie, seq: 0xdeadbeef } as const
    expect(statelessScanner(syn, target)).toBe('masscan')
    expect(statelessScanner(syn)).toBeUndefined()
    expect(statelessScanner({ ...syn, seq: 1 }, target)).toBeUndefined()
    expect(statelessScanner({ ...syn, ipId: 54321 }, target)).toBe('zmap')
    expect(statelessScanner({ ...syn, ipId: 54321, ipVersion: 6 }, target)).toBeUndefined()
  })
})
