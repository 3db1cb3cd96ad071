import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ownSignatures } from '../../../protocols/fingerprint/own_signatures.ts'
import { osGuess, SynFingerprinter } from '../../../protocols/fingerprint/syn_fingerprint.ts'
import { readOptions, synFeatures } from './syn_packet.ts'

const own = ownSignatures()

it('says everything about a SYN', () => {
  const syn = synFeatures({ tos: 74 })
  const found = new SynFingerprinter(own).read(syn)
  expect(found).toMatchObject({
    initialTtl: 64,
    hopDistance: 7,
    optionsSig: 'M,S,T,N,W',
    p0fSig: '4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0',
    p0fMatch: { label: 'Linux 4.20 or newer', kind: 'os', distance: 7 },
    p0fParams: 'fuzzy tos:0x12',
    osLabel: 'linux',
  })
  expect(osGuess(syn, found)).toBe('linux')
})

it('tells a scanner by its IP-ID ahead of the table, but nmap ahead of both', () => {
  const fingerprinter = new SynFingerprinter(own)
  const zmap = synFeatures({ ipId: 54321 })
  expect(osGuess(zmap, fingerprinter.read(zmap))).toBe('zmap')
  const nmap = synFeatures({ ttl: 50, ipId: 54321, window: 1024 }, { kinds: [2] })
  expect(osGuess(nmap, fingerprinter.read(nmap))).toBe('nmap')
  const target = { address: 0xc000020a, port: 443 }
  const masscan = synFeatures({ seq: 5, ipId: (0x020a ^ 443 ^ 5) & 0xffff })
  expect(osGuess(masscan, fingerprinter.read(masscan), target)).toBe('masscan')
})

it('answers from memory only what it was asked before', () => {
  const fingerprinter = new SynFingerprinter(own)
  const first = fingerprinter.read(synFeatures())
  expect(fingerprinter.read(synFeatures({ ipId: 9, seq: 7 }))).toBe(first)
  expect(fingerprinter.read(synFeatures({}, { kinds: [2, 4, 8, 1, 1] }))).not.toBe(first)
})

it('answers the same with a memory as without', () => {
  const fingerprinter = new SynFingerprinter(own)
  const features = fc
    .tuple(
      fc.uint8Array({ maxLength: 40 }),
      fc.record({
        ipVersion: fc.constantFrom(4 as const, 6 as const),
        ttl: fc.nat(255),
        tos: fc.constantFrom(0, 4, 255),
        ipId: fc.nat(1),
        dontFragment: fc.boolean(),
        reservedBit: fc.boolean(),
        ipOptionsLength: fc.constantFrom(0, 40),
        flowLabel: fc.nat(1),
        headerLength: fc.constantFrom(40, 60, 120, 65535),
        ack: fc.nat(1),
        flags: fc.nat(511),
        window: fc.constantFrom(0, 1024, 14600, 65535),
        payloadLength: fc.nat(1),
      }),
    )
    .map(([bytes, changes]) => ({
      ...synFeatures(changes),
      options: readOptions(Buffer.from(bytes)),
    }))
  // Twice each, in another order: what is remembered must not be that of a neighbour.
  const runs = fc.array(fc.tuple(features, fc.constantFrom(0, 1000, 1460)), { maxLength: 40 })
  fc.assert(
    fc.property(runs, (all) => {
      for (const [syn, peerMss] of [...all, ...all.toReversed()]) {
        const fresh = new SynFingerprinter(own).read(syn, peerMss)
        expect(fingerprinter.read(syn, peerMss)).toEqual(fresh)
      }
    }),
    { numRuns: 30 },
  )
})
