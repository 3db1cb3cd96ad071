/** The example frames of spec/bus.md section 12, as bytes. */
import type { Verb } from '../../bus/frame.ts'

interface SheetFrame {
  readonly verb: Verb
  readonly args: string
  readonly body: string
  readonly bytes: Buffer
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

export const sheetFrames: readonly SheetFrame[] = [
  {
    verb: 'HELLO',
    args: 'sniffer',
    body: '',
    bytes: hex('48454c4c4f20736e69666665720a00000000'),
  },
  {
    verb: 'SUB',
    args: 'attacker.>',
    body: '',
    bytes: hex('5355422061747461636b65722e3e0a00000000'),
  },
  { verb: 'BYE', args: '', body: '', bytes: hex('4259450a00000000') },
  { verb: 'PUB', args: 'a.b', body: '{}', bytes: hex('50554220612e620a000000027b7d') },
  {
    verb: 'PUB',
    args: 'system.mutator.control',
    body: '{"payload":{"action":"stop","requested_by":"ops","ts":1700000000.0},"type":"control"}',
    bytes: hex(`
      5055422073797374656d2e6d757461746f722e636f6e74726f6c0a000000557b
      227061796c6f6164223a7b22616374696f6e223a2273746f70222c2272657175
      65737465645f6279223a226f7073222c227473223a313730303030303030302e
      307d2c2274797065223a22636f6e74726f6c227d`),
  },
  {
    verb: 'EVT',
    args: 'attacker.observed',
    body:
      '{"v":1,"id":"0000000000000000000000000000002a","topic":"attacker.observed",' +
      '"type":"observed","ts":1700000000.25,' +
      '"payload":{"attacker_ip":"198.51.100.7","decky":"web-01"}}',
    bytes: hex(`
      4556542061747461636b65722e6f627365727665640a000000aa7b2276223a31
      2c226964223a22303030303030303030303030303030303030303030303030303030303030
      3261222c22746f706963223a2261747461636b65722e6f62736572766564222c2274797065223a22
      6f62736572766564222c227473223a313730303030303030302e32352c227061796c6f6164223a7b22
      61747461636b65725f6970223a223139382e35312e3130302e37222c226465636b79223a227765622d3031227d7d`),
  },
  {
    verb: 'PUB',
    args: 'decky.local:web-01.state',
    body: '{"payload":{"name":"café"},"type":"state"}',
    bytes: hex(`
      505542206465636b792e6c6f63616c3a7765622d30312e73746174650a000000
      2b7b227061796c6f6164223a7b226e616d65223a22636166c3a9227d2c2274797065223a227374617465227d`),
  },
]
