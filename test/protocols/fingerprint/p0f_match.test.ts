import { describe, expect, it } from 'vitest'
import { ownSignatures } from '../../../protocols/fingerprint/own_signatures.ts'
import { readP0fDatabase } from '../../../protocols/fingerprint/p0f_database.ts'
import { linkOf, matchParams, UNKNOWN_LABEL } from '../../../protocols/fingerprint/p0f_match.ts'
import { matchRawSignature } from '../../../protocols/fingerprint/p0f_raw_match.ts'

const verdict = (rules: string, raw: string) => {
  const match = matchRawSignature(readP0fDatabase(`[tcp:request]\n${rules}`), 'syn', raw)
  return [match.label, matchParams(match), match.distance]
}

const LINUX = 'label = s:unix:Linux:x\nsig = *:64:0:*:mss*10,*:mss,sok:df,id+:0'

describe('a match', () => {
  it('is exact, and tells how far the sender is', () => {
    const raw = '4:57+7:0:1400:mss*10,3:mss,sok:df,id+:0'
    expect(verdict(LINUX, raw)).toEqual(['Linux x', 'none', 7])
  })

  it.each([
    ['df gone', '4:57+7:0:1400:mss*10,3:mss,sok:id+:0', 7],
    ['both gone', '4:57+7:0:1400:mss*10,3:mss,sok::0', 7],
    ['id- for id+', '4:57+7:0:1400:mss*10,3:mss,sok:id-:0', 7],
    ['ecn come', '4:57+7:0:1400:mss*10,3:mss,sok:df,id+,ecn:0', 7],
    ['too far', '4:28+4:0:1400:mss*10,3:mss,sok:df,id+:0', 4],
    ['from beyond the initial TTL', '4:120+8:0:1400:mss*10,3:mss,sok:df,id+:0', 8],
  ])('is fuzzy with %s', (_, raw, distance) => {
    expect(verdict(LINUX, raw)).toEqual(['Linux x', 'fuzzy', distance])
  })

  it.each([
    ['another layout', '4:57+7:0:1400:mss*10,3:mss,nop,sok:df,id+:0'],
    ['IP options', '4:57+7:4:1400:mss*10,3:mss,sok:df,id+:0'],
    ['another quirk', '4:57+7:0:1400:mss*10,3:mss,sok:df,id+,seq-:0'],
    ['another multiple', '4:57+7:0:1400:mss*11,3:mss,sok:df,id+:0'],
    ['the same multiple of the MTU', '4:57+7:0:1400:mtu*10,3:mss,sok:df,id+:0'],
    ['a payload', '4:57+7:0:1400:mss*10,3:mss,sok:df,id+:+'],
  ])('is none with %s', (_, raw) => expect(verdict(LINUX, raw)).toEqual([UNKNOWN_LABEL, 'none', 7]))

  it('leaves out what IPv6 does not have', () => {
    expect(verdict(LINUX, '6:64+0:0:1400:mss*10,3:mss,sok::0')).toEqual(['Linux x', 'none', 0])
    expect(verdict(LINUX, '6:64+0:0:1400:mss*10,3:mss,sok:flow:0')[0]).toBe(UNKNOWN_LABEL)
  })

  it('does not compare IP versions, as p0f 3.09 does not: the quirks tell', () => {
    const v4 = LINUX.replace('*:64', '4:64')
    expect(verdict(v4, '6:64+0:0:1400:mss*10,3:mss,sok::0')).toEqual(['Linux x', 'fuzzy', 0])
  })

  it('prefers the specific to the generic, both to the fuzzy, and the first of equals', () => {
    const fuzzy = 'label = s:unix:F:\nsig = *:128:0:*:*,*:mss:df:0'
    const generic = 'label = g:unix:G:\nsig = *:64:0:*:*,*:mss:df:0'
    const specific = (name: string) => `label = s:unix:${name}:\nsig = *:64:0:*:*,*:mss:df:0`
    const raw = '4:60+4:0:1400:5,0:mss:df:0'
    const of = (...rules: string[]) => verdict(rules.join('\n'), raw).slice(0, 2)
    expect(of(fuzzy, generic, specific('A'), specific('B'))).toEqual(['A', 'none'])
    expect(of(fuzzy, generic)).toEqual(['G', 'generic'])
    expect(of(fuzzy)).toEqual(['F', 'fuzzy'])
    expect(of(fuzzy.replace('s:unix', 'g:unix'), fuzzy)).toEqual(['F', 'generic fuzzy'])
  })

  it('is never fuzzy for a program with a stack of its own', () => {
    const tool = 'label = s:!:tool:\nsig = *:64-:0:*:1024,0:mss::0'
    expect(verdict(tool, '4:30+2:0:1400:1024,0:mss::0')).toEqual(['tool', 'random_ttl', 34])
    expect(verdict(tool, '4:20+12:0:1400:1024,0:mss::0')).toEqual([
      'tool',
      'random_ttl excess_dist',
      44,
    ])
    expect(verdict(tool, '4:65+?:0:1400:1024,0:mss::0')[0]).toBe(UNKNOWN_LABEL)
    // The first fuzzy one counts: a rule behind it is not asked.
    const both = `${tool}\nlabel = s:unix:OS:\nsig = *:64:0:*:1024,0:mss::0`
    expect(verdict(both, '4:60+4:0:1400:1024,0:mss:ecn:0')[0]).toBe(UNKNOWN_LABEL)
  })

  it.each([
    ['%1000', '4:64+0:0:1400:5000,0:mss::0', true],
    ['%1000', '4:64+0:0:1400:5001,0:mss::0', false],
    ['mtu*3', '4:64+0:0:1400:mtu*3,0:mss::0', true],
    ['mtu*3', '4:64+0:0:1400:mss*3,0:mss::0', false],
    // A number for which the multiple can be worked out, and the other way round.
    ['mss*3', '4:64+0:0:1400:4200,0:mss::0', true],
    ['4380', '4:64+0:0:1400:mss*3,0:mss::0', true],
    ['5840', '4:64+0:0:1400:mss*3,0:mss::0', false],
  ])('with window %s of %s: %s', (window, raw, fits) => {
    const rule = `label = s:unix:A:\nsig = *:64:0:*:${window},0:mss::0`
    expect(verdict(rule, raw)[0]).toBe(fits ? 'A' : UNKNOWN_LABEL)
  })
})

it('refuses a rule where a packet should be', () => {
  const none = readP0fDatabase('')
  for (const raw of ['*:64:0:1:1,1:::0', '4:64-:0:1:1,1:::0', '4:64:0:*:1,1:::0', '']) {
    expect(() => matchRawSignature(none, 'syn', raw)).toThrow()
  }
})

it('shows the code point of the packet among the remarks', () => {
  const match = matchRawSignature(readP0fDatabase(''), 'syn', '4:180+?:0:0:1024,0:::0')
  expect(matchParams(match)).toBe('excess_dist')
  expect(matchParams(match, 0x0b)).toBe('excess_dist tos:0x02')
})

describe('our own signatures', () => {
  const own = ownSignatures()
  it.each([
    ['4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0', 'Linux 4.20 or newer', 'os'],
    ['4:57+7:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0', 'Linux 3.11 to 4.19', 'os'],
    ['4:57+7:0:1400:27000,7:mss,sok,ts,nop,ws:df,id+:0', 'Linux', 'os'],
    ['4:113+15:0:1460:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0', 'Windows 10 or newer', 'os'],
    ['4:113+15:0:1412:8192,2:mss,nop,ws,nop,nop,sok:df,id+:0', 'Windows Vista to 8.1', 'os'],
    ['4:60+4:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0', 'macOS or iOS', 'os'],
    ['4:60+4:0:1460:65535,6:mss,nop,ws,sok,ts:df,id+:0', 'FreeBSD', 'os'],
    ['4:60+4:0:1460:16384,6:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0', 'OpenBSD', 'os'],
    ['4:41+23:0:1460:1024,0:mss::0', 'nmap SYN scan', 'app'],
    ['4:41+23:0:536:16,10:mss,sok,ts,ws,eol+0:ack+:0', 'nmap OS detection', 'app'],
    ['4:243+12:0:0:1024,0:::0', 'masscan', 'app'],
    ['4:243+12:0:0:65535,0:::0', 'zmap', 'app'],
  ])('say of %s: %s', (raw, label, kind) => {
    expect(matchRawSignature(own, 'syn', raw)).toMatchObject({ label, kind })
  })

  it('know the answer of a server and the links', () => {
    const raw = '4:64+0:0:1460:mss*45,7:mss,sok,ts,nop,ws:df:0'
    expect(matchRawSignature(own, 'syn+ack', raw).label).toBe('Linux 4.20 or newer')
    expect([linkOf(own, 4, 1460), linkOf(own, 6, 1440), linkOf(own, 4, 0)]).toEqual([
      'Ethernet',
      'Ethernet',
      undefined,
    ])
  })
})
