import { describe, expect, it } from 'vitest'
import { LINK } from '../../../protocols/packet/link_layer.ts'
import { TCP_FLAG } from '../../../protocols/packet/packet.ts'
import { readTcpOptions } from '../../../protocols/packet/tcp_options.ts'
import { framesOf } from '../pcap/captured_frames.ts'
import { captureBytes, expectedCaptures, hasCorpus, packetOf } from './corpus.ts'

const LINK_NAMES: Record<number, string> = {
  [LINK.NULL]: 'null',
  [LINK.EN10MB]: 'ether',
  [LINK.PPP]: 'ppp',
  [LINK.RAW]: 'rawip',
  [LINK.LINUX_SLL]: 'linux-sll',
  [LINK.IPV4]: 'rawip4',
  [LINK.IPV6]: 'rawip6',
  [LINK.LINUX_SLL2]: 'linux-sll2',
}

/** In a tunnel the innermost value comes last. */
const innermost = (values: string | undefined) => values?.split('|').at(-1)
const text = (value: number | undefined) => (value === undefined ? '' : String(value))

describe.skipIf(!hasCorpus)('a capture from the field', () => {
  it.each(expectedCaptures())('$file gives the packets and SYN fields others read', (expected) => {
    const frames = framesOf(captureBytes(expected.file))
    expect(frames).toHaveLength(expected.packets)
    expect(new Set(frames.map((frame) => LINK_NAMES[frame.linkType]))).toEqual(
      new Set([expected.link]),
    )

    const counts = { syn: 0, synack: 0 }
    const seen: unknown[] = []
    for (const frame of frames) {
      const packet = packetOf(frame)
      if (packet?.protocol !== 6 || !(packet.tcpFlags & TCP_FLAG.SYN)) continue
      if (packet.isSyn) counts.syn += 1
      else counts.synack += 1
      const options = readTcpOptions(packet.bytes, packet.optionsStart, packet.optionsEnd)
      const ofIpv4 = (value: string) => (packet.ipVersion === 4 ? value : '')
      seen.push([
        String(frame.number),
        packet.src,
        String(packet.srcPort),
        packet.dst,
        String(packet.dstPort),
        packet.isSyn ? '0' : '1',
        ofIpv4(String(packet.ttl)),
        ofIpv4(`0x${packet.ipId.toString(16).padStart(4, '0')}`),
        ofIpv4(packet.dontFragment ? '1' : '0'),
        String(packet.seq),
        String(packet.window),
        text(options.mss),
        text(options.windowScale),
        [...options.kinds, ...new Array<number>(options.eolPadding).fill(0)].join('|'),
      ])
    }
    expect(counts).toEqual({ syn: expected.syn_count ?? 0, synack: expected.synack_count ?? 0 })
    expect(seen.slice(0, expected.syn?.length ?? 0)).toEqual(
      (expected.syn ?? []).map(([frame, v4Src, v6Src, port, v4Dst, v6Dst, dstPort, ...rest]) => [
        frame,
        v6Src || innermost(v4Src),
        port,
        v6Dst || innermost(v4Dst),
        dstPort,
        ...rest.map((value, index) => (index < 4 ? innermost(value) : value)),
      ]),
    )
  })
})
