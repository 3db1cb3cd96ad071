import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { P0fError } from '../../../protocols/fingerprint/p0f_error.ts'
import { observeSyn, printObservation } from '../../../protocols/fingerprint/p0f_observation.ts'
import {
  type P0fSignature,
  parseSignature,
  printSignature,
} from '../../../protocols/fingerprint/p0f_signature.ts'
import type { SynFeatures } from '../../../protocols/fingerprint/syn_features.ts'
import { readIp, readOptions, synFeatures } from './syn_packet.ts'

const textOf = (syn: SynFeatures, peerMss = 0) => printObservation(observeSyn(syn, peerMss))
const quirksIn = (syn: SynFeatures) => textOf(syn).split(':')[6]
const windowIn = (syn: SynFeatures, peerMss = 0) => textOf(syn, peerMss).split(':')[4]

it('writes the signature of a SYN', () => {
  const packet = readIp(
    Buffer.from(
      '454a003c1a2b400039062935cb007107c000020a9c4001bb3039d43100000000a002faf07c5d0000020405b4' +
        '0402080a000030390000000001030307',
      'hex',
    ),
  )
  expect(packet && textOf(packet)).toBe('4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0')
})

describe('quirks', () => {
  it.each([
    ['df,id+', {}],
    ['df', { ipId: 0 }],
    ['id-', { ipId: 0, dontFragment: false }],
    ['', { dontFragment: false }],
    ['df,id+,ecn', { tos: 1 }],
    ['df,id+,ecn', { flags: 0x42 }],
    ['df,id+,ecn', { flags: 0x82 }],
    ['df,id+,ecn', { flags: 0x102 }],
    ['df,id+,0+', { reservedBit: true }],
    ['df,id+,seq-', { seq: 0 }],
    ['df,id+,ack+', { ack: 1 }],
    ['df,id+', { flags: 0x12, ack: 1 }],
    ['df,id+,ack-', { flags: 0x12 }],
    ['df,id+,uptr+', { urgentPointer: 7 }],
    ['df,id+,urgf+', { flags: 0x22, urgentPointer: 7 }],
    ['df,id+,pushf+', { flags: 0x0a }],
    ['flow', { ipVersion: 6 as const, flowLabel: 3 }],
    ['', { ipVersion: 6 as const }],
  ])('%s of %j', (quirks, changes) => expect(quirksIn(synFeatures(changes))).toBe(quirks))

  it.each([
    ['df,id+,ts1-', { ownTimestamp: 0 }],
    ['df,id+', { ownTimestamp: -1 }],
    ['df,id+,ts2+', { peerTimestamp: 9 }],
    ['df,id+,opt+', { nonZeroAfterEol: true }],
    ['df,id+', { windowScale: 14 }],
    ['df,id+,exws', { windowScale: 15 }],
    ['df,id+,bad', { bad: true }],
    ['df,id+,bad', { kinds: Array<number>(25).fill(1) }],
  ])('%s of options %j', (quirks, options) => {
    expect(quirksIn(synFeatures({}, options))).toBe(quirks)
  })

  it('takes the timestamp that a SYN-ACK sends back for no quirk', () => {
    expect(quirksIn(synFeatures({ flags: 0x12, ack: 1 }, { peerTimestamp: 9 }))).toBe('df,id+')
  })
})

describe('the window rule', () => {
  it.each([
    ['mss', 1400, 'mss*3', 4200],
    ['mss less a timestamp', 1400, 'mss*3', 3 * 1388],
    ['1460', 1400, 'mss*7', 7 * 1460],
    ['1448', 1400, 'mss*7', 7 * 1448],
    ['mss + 40', 1399, 'mtu*3', 3 * 1439],
    ['mss + headers', 1399, 'mtu*3', 3 * 1459],
    ['1500', 1399, 'mtu*11', 11 * 1500],
    ['nothing', 1399, '8191', 8191],
    ['a window of 0', 1399, '0', 0],
    ['an MSS too small to count', 99, '990', 990],
  ])('finds %s', (_, mss, window, value) => {
    expect(windowIn(synFeatures({ window: value }, { mss }))).toBe(`${window},7`)
  })

  it('takes off a timestamp only if there is one', () => {
    const syn = synFeatures({ window: 3 * 1388 }, { mss: 1400, ownTimestamp: 0 })
    expect(windowIn(syn)).toBe('4164,7')
  })

  it("looks at the peer's MSS on a SYN-ACK only, and at IPv6's own sizes over IPv6", () => {
    const answer = synFeatures({ flags: 0x12, ack: 1, window: 16 * 1021 })
    expect(windowIn(answer)).toBe('16336,7')
    expect(windowIn(answer, 1021)).toBe('mss*16,7')
    expect(windowIn(answer, 1033)).toBe('mss*16,7')
    expect(windowIn(synFeatures({ window: 16 * 1021 }), 1021)).toBe('16336,7')
    const v6 = { ipVersion: 6, headerLength: 80 } as const
    expect(windowIn(synFeatures({ ...v6, window: 7 * 1440 }, { mss: 1399 }))).toBe('mss*7,7')
    expect(windowIn(synFeatures({ ...v6, window: 7 * 1428 }, { mss: 1399 }))).toBe('mss*7,7')
    expect(windowIn(synFeatures({ ...v6, window: 7 * 1459 }, { mss: 1399 }))).toBe('mtu*7,7')
  })
})

it('spells odd layouts, a far sender and a payload', () => {
  const odd = synFeatures(
    { ttl: 180, payloadLength: 1 },
    { kinds: [2, 76, 5, 0], eolPadding: 3, windowScale: -1 },
  )
  expect(textOf(odd)).toBe('4:180+?:0:1460:mss*44,0:mss,?76,sack,eol+3:df,id+:+')
})

it.each([
  '*:64:0:*:mss*20,10:mss,sok,ts,nop,ws:df,id+:0',
  '4:64-:0:1460:%8192,*:mss,nop,ws,?76,eol+1:seq-,bad:*',
  '6:57+7:0:1440:mtu*4,0::flow:+',
  '4:180+?:40:0:*,255:eol+0::0',
])('reads and writes %s', (text) => expect(printSignature(parseSignature(text))).toBe(text))

it.each([
  ['4:64:0:*:mss*4,7:mss:df', '7 fields where there should be 8'],
  ['5:64:0:*:*,7:mss:df:0', 'IP version "5" is not 4, 6 or *'],
  ['4:256:0:*:*,7:mss:df:0', 'TTL "256" is not 1 to 255'],
  ['4:200+56:0:*:*,7:mss:df:0', 'distance "56" is not 0 to 55'],
  ['4:64:0:*:*:mss:df:0', '"*" is not a window and a scale'],
  ['4:64:0:*:%1,7:mss:df:0', 'window modulo "1" is not 2 to 65535'],
  ['4:64:0:*:*,7:eol+0,mss:df:0', 'an option behind eol'],
  ['4:64:0:*:*,7:mms:df:0', 'there is no TCP option "mms"'],
  ['4:64:0:*:*,7:mss:d\nf:0', 'there is no quirk "d\\nf"'],
  ['4:64:0:*:*,7:mss:flow:0', 'IPv4 has no flow'],
  ['6:64:0:*:*,7:mss:df,0+:0', 'IPv6 has no df,0+'],
  ['4:64:0:*:*,7:mss:df:1', 'payload class "1" is not 0, + or *'],
  [`4:64:0:*:*,7:${'nop,'.repeat(24)}nop:df:0`, 'over 24 TCP options'],
  ['x'.repeat(1000), `over 400 characters: "${'x'.repeat(80)}"…`],
])('refuses %s', (text, message) => expect(() => parseSignature(text)).toThrow(message))

const signature: fc.Arbitrary<P0fSignature> = fc
  .record({
    ipVersion: fc.constantFrom(4 as const, 6 as const, undefined),
    ttl: fc.integer({ min: 1, max: 128 }),
    ttlForm: fc.constantFrom('initial' as const, 'random' as const, 'observed' as const),
    distance: fc.option(fc.nat(127), { nil: undefined }),
    ipOptionsLength: fc.nat(255),
    mss: fc.option(fc.nat(65535), { nil: undefined }),
    window: fc.oneof(
      fc.constant({ form: 'any' as const, value: 0 }),
      fc.record({
        form: fc.constantFrom('value' as const, 'modulo' as const, 'mss' as const, 'mtu' as const),
        value: fc.integer({ min: 2, max: 65535 }),
      }),
    ),
    scale: fc.option(fc.nat(255), { nil: undefined }),
    optionKinds: fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 23 }),
    eolPadding: fc.option(fc.nat(255)),
    quirks: fc.nat(0x1ffff),
    payload: fc.constantFrom('0' as const, '+' as const, '*' as const),
  })
  .map(({ eolPadding, ...sig }) => ({
    ...sig,
    distance: sig.ttlForm === 'observed' ? sig.distance : undefined,
    optionKinds: eolPadding === null ? sig.optionKinds : [...sig.optionKinds, 0],
    eolPadding: eolPadding ?? 0,
    quirks:
      sig.ipVersion === undefined ? sig.quirks : sig.quirks & (sig.ipVersion === 4 ? ~32 : ~23),
  }))

it('reads back every signature it can write', () => {
  fc.assert(
    fc.property(signature, (sig) => {
      const text = printSignature(sig)
      // 24 options of three digits and every quirk stay under the limit.
      expect(text.length).toBeLessThan(400)
      expect(parseSignature(text)).toEqual(sig)
    }),
  )
})

it('answers any text with a signature or a P0fError', () => {
  const scrap = fc.constantFrom(...':,*%+-?4 6 64 mss ws eol+ df id+ 0 1460 65535 \n'.split(' '))
  const noise = fc.oneof(
    fc.string(),
    fc.array(scrap, { maxLength: 40 }).map((all) => all.join('')),
  )
  const mutated = fc
    .tuple(signature, fc.nat(), fc.string({ maxLength: 3 }))
    .map(([sig, at, text]) => {
      const whole = printSignature(sig)
      const place = at % whole.length
      return whole.slice(0, place) + text + whole.slice(place + 1)
    })
  fc.assert(
    fc.property(fc.oneof(noise, mutated), (text) => {
      try {
        const sig = parseSignature(text)
        expect(parseSignature(printSignature(sig))).toEqual(sig)
      } catch (error) {
        expect(error).toBeInstanceOf(P0fError)
      }
    }),
  )
})

it('reads back what it writes of any packet', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.record({
        ttl: fc.nat(255),
        tos: fc.nat(255),
        ipId: fc.nat(3),
        dontFragment: fc.boolean(),
        seq: fc.nat(1),
        ack: fc.nat(1),
        flags: fc.nat(511),
        window: fc.nat(65535),
        urgentPointer: fc.nat(1),
        payloadLength: fc.nat(1),
        headerLength: fc.integer({ min: 40, max: 120 }),
      }),
      fc.nat(65535),
      (bytes, changes, peerMss) => {
        const options = readOptions(Buffer.from(bytes))
        const text = textOf({ ...synFeatures(changes), options }, peerMss)
        expect(printSignature(parseSignature(text))).toBe(text)
      },
    ),
  )
})
