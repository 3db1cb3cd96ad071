import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { tcpSyn } from '../../operators/tcp_syn.ts'
import { ETHERNET, hex, ipv6, patched, SYN, tcp } from '../protocols/packet/frames.ts'
import { connection, FLAG, frameEvent } from './sniffed_packets.ts'

const MARKS = { decky: 'decky-a', from_decky: false }
const TTL_AT = 8
const TOS_AT = 1
const fieldsOf = (frame: Buffer, marks = MARKS) =>
  harness(tcpSyn).send(frameEvent(frame, 1000, marks))[0]?.data

/** The SYN of the sheet with other TCP options; they are padded by what the last one was. */
function withOptions(options: string, changes: { ttl?: number; window?: number } = {}): Buffer {
  const bytes = hex(options)
  const head = Buffer.from(SYN.subarray(0, 40))
  head.writeUInt16BE(40 + bytes.length, 2)
  head[TTL_AT] = changes.ttl ?? 57
  head[32] = ((20 + bytes.length) / 4) << 4
  head.writeUInt16BE(changes.window ?? 64_240, 34)
  return Buffer.concat([head, bytes])
}

describe('tcp_syn', () => {
  it('tells of the SYN of the sheet what the sheet tells', () => {
    const out = harness(tcpSyn).send(frameEvent(SYN, 1234.5, MARKS))
    expect(out).toHaveLength(1)
    expect(out[0]).toMatchObject({ topic: 'sniffer.tcp_syn_fingerprint', time: 1234.5 })
    expect(out[0]?.data).toMatchObject({
      src_ip: '203.0.113.7',
      src_port: '40000',
      dst_ip: '192.0.2.10',
      dst_port: '443',
      ttl: '57',
      initial_ttl: '64',
      hop_distance: '7',
      window: '64240',
      mss: '1460',
      wscale: '7',
      options_sig: 'M,S,T,N,W',
      has_sack: 'true',
      has_timestamps: 'true',
      tos: '74',
      dscp: '18',
      ecn: '2',
      ipid_class: 'unknown',
      isn_class: 'unknown',
      os_guess: 'linux',
      df: '1',
      ip_version: '4',
      ip_len: '60',
      ip_id: '6699',
      isn: '809096241',
      p0f_sig: '4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0',
      decky: 'decky-a',
    })
    expect(Object.values(out[0]?.data ?? {}).every((value) => typeof value === 'string')).toBe(true)
  })

  it.each([
    ['Ethernet', 1, ETHERNET],
    ['one VLAN tag', 1, hex('02000000000a020000000063810000640800')],
    ['QinQ', 1, hex('02000000000a02000000006388a8000a810000640800')],
    ['cooked', 113, hex('00000001000602000000006300000800')],
    ['cooked, version 2', 276, hex('0800000000000002000100060200000000630000')],
  ])('tells the same behind a link header: %s', (_, link_type, header) => {
    const frame = Buffer.concat([header, SYN])
    const event = frameEvent(frame, 1000, { ...MARKS, link_type })
    expect(harness(tcpSyn).send(event)[0]?.data).toEqual(fieldsOf(SYN))
  })

  it.each([
    [32, '32', '0'],
    [33, '64', '31'],
    [64, '64', '0'],
    [65, '128', '63'],
    [129, '255', '64'],
    [1, '32', '31'],
    [0, '32', '32'],
  ])('reads TTL %s as %s, %s hops away', (ttl, initial_ttl, hop_distance) => {
    const fields = fieldsOf(patched(SYN, TTL_AT, Buffer.from([ttl])))
    expect(fields).toMatchObject({ ttl: String(ttl), initial_ttl, hop_distance })
  })

  it.each([
    ['2a', '10', '2'],
    ['00', '0', '0'],
    ['03', '0', '3'],
    ['b8', '46', '0'],
  ])('reads ToS %s', (tos, dscp, ecn) => {
    expect(fieldsOf(patched(SYN, TOS_AT, tos))).toMatchObject({ dscp, ecn })
  })

  it.each([
    ['020405b4 01 030308 01 01 080a0000000100000000 0402 0000', 'M,N,W,N,N,T,S,E'],
    ['', ''],
    ['020405b4 2202 0000', 'M,?,E'],
  ])('lists the options %s', (options, options_sig) => {
    expect(fieldsOf(withOptions(options))).toMatchObject({ options_sig })
  })

  it.each([
    ['windows', '020405b4 01 030308 01 01 0402', { ttl: 120 }],
    [
      'macos_ios',
      '020405b4 01 030306 01 01 080a0000000100000000 0402 0000',
      { ttl: 57, window: 65_535 },
    ],
    ['freebsd', '020405b4 01 030306 0402 080a0000000100000000 01 01', { ttl: 50, window: 65_535 }],
    [
      'openbsd',
      '020405b4 01 01 0402 01 030303 01 01 080a0000000100000000',
      { ttl: 50, window: 16_384 },
    ],
    ['embedded', '020405b4', { ttl: 250, window: 4128 }],
    ['nmap', '020405b4', { ttl: 57, window: 1024 }],
    ['unknown', '020405b4 0402 080a0000000100000000 01 030304', { ttl: 50, window: 14_600 }],
  ])('labels %s', (os_guess, options, changes) => {
    expect(fieldsOf(withOptions(options, changes))).toMatchObject({ os_guess })
  })

  it('knows stateless scanners by the IP-ID', () => {
    const plain = withOptions('020405b4', { ttl: 250, window: 65_535 })
    expect(fieldsOf(patched(plain, 4, 'd431'))).toMatchObject({ os_guess: 'zmap' })
    const cookie = ((0xc000020a ^ 443 ^ 809_096_241) & 0xffff).toString(16).padStart(4, '0')
    expect(fieldsOf(patched(plain, 4, cookie))).toMatchObject({ os_guess: 'masscan' })
  })

  it('leaves the scale empty where there is none, and the MSS 0', () => {
    expect(fieldsOf(withOptions(''))).toMatchObject({
      wscale: '',
      mss: '0',
      has_sack: 'false',
      has_timestamps: 'false',
    })
  })

  it('reads a SYN over IPv6, which has no IP-ID', () => {
    const frame = ipv6(6, tcp('', { flags: FLAG.syn }))
    expect(fieldsOf(frame)).toMatchObject({
      src_ip: '2001:db8::7',
      dst_ip: '2001:db8::a',
      ip_version: '6',
      ip_id: '0',
      ttl: '57',
      tos: String(0xab),
    })
  })

  it.each([
    ['SYN and FIN', FLAG.syn | FLAG.fin, 1],
    ['SYN, ECE and CWR', FLAG.syn | 0xc0, 1],
    ['SYN and ACK', FLAG.syn | FLAG.ack, 0],
    ['ACK', FLAG.ack, 0],
    ['none', 0, 0],
  ])('takes %s for %i SYN', (_, flags, count) => {
    expect(harness(tcpSyn).send(connection().remote(1000, '', { flags }))).toHaveLength(count)
  })

  it('counts a SYN with data, and none that a decky sends', () => {
    const { remote, decky } = connection()
    const syn = { flags: FLAG.syn }
    expect(harness(tcpSyn).send(remote(1, 'early', syn), decky(2, '', syn))).toHaveLength(1)
  })

  it('takes signatures from a file, and says at the start where there is none', () => {
    const dir = mkdtempSync(join(tmpdir(), 'decnet-syn-'))
    const p0f_fp = join(dir, 'p0f.fp')
    try {
      writeFileSync(
        p0f_fp,
        'classes = unix\n[tcp:request]\nlabel = s:unix:Lab:7\nsig = *:64:0:*:mss*44,7:mss,sok,ts,nop,ws:df,id+,ecn:0\n',
      )
      const out = harness(tcpSyn, { p0f_fp }).send(frameEvent(SYN, 1, MARKS))
      expect(out[0]?.data).toMatchObject({ p0f_label: 'Lab 7' })
      expect(() => harness(tcpSyn, { p0f_fp: join(dir, 'absent.fp') })).toThrow(/absent\.fp/)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('reads a SYN cut at any length without failing', () => {
    const run = harness(tcpSyn)
    for (let length = 0; length <= SYN.length; length++) {
      const event = frameEvent(SYN.subarray(0, length), 1, { ...MARKS, wire_length: 60 })
      expect(run.send(event)).toHaveLength(length === SYN.length ? 1 : 0)
    }
    expect(run.errors).toEqual([])
  })
})
