/** What a SYN tells of the stack or the tool that sent it. */
import { Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'
import { hopDistance } from '../protocols/fingerprint/initial_ttl.ts'
import { dscpOf, ecnOf } from '../protocols/fingerprint/ip_tos.ts'
import { ownSignatures } from '../protocols/fingerprint/own_signatures.ts'
import { synFeaturesOf } from '../protocols/fingerprint/packet_features.ts'
import { osGuess, SynFingerprinter } from '../protocols/fingerprint/syn_fingerprint.ts'
import type { Packet } from '../protocols/packet/packet.ts'
import { quote } from '../protocols/quote.ts'
import {
  deckyOf,
  deckyPacket,
  endpointsOf,
  isFromDecky,
} from '../protocols/sniffer/decky_packet.ts'
import { readSignatureFile } from '../store/signature_file.ts'

export const tcpSyn = defineOperator({
  type: 'tcp_syn',
  summary: 'One event per SYN to a decky: addresses, TCP options, TTL, OS label, p0f signature.',
  promise: 'Keeps nothing from one SYN to the next, so each comes out the same at every replay.',
  config: Type.Object({
    p0f_fp: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'A signature file in the format of p0f 3, read at the start; default: a few signatures ' +
          'of our own.',
      }),
    ),
  }),
  check: ({ p0f_fp }) => {
    if (p0f_fp !== undefined) readSignatureFile(p0f_fp)
  },
  examples: [
    { title: 'As the sniffer has it', yaml: 'type: tcp_syn' },
    {
      title: 'One SYN, and what it tells',
      yaml: 'type: tcp_syn',
      run: {
        send: [
          {
            time: 1000,
            data: {
              link_type: 101,
              frame_b64:
                'RUoAPBorQAA5Bik1ywBxB8AAAgqcQAG7MDnUMQAAAACgAvrwfF0AAAIEBbQEAggKAAAwOQAAAAABAwMH',
              wire_length: 60,
              decky: 'decky-a',
              from_decky: false,
            },
          },
        ],
        expect: [
          {
            topic: 'sniffer.tcp_syn_fingerprint',
            data: { src_ip: '203.0.113.7', hop_distance: '7', os_guess: 'linux', decky: 'decky-a' },
          },
        ],
      },
    },
  ],
  each: ({ p0f_fp }, context) => {
    const database = p0f_fp === undefined ? ownSignatures() : readSignatureFile(p0f_fp)
    for (const { line, message } of database.problems) {
      context.log.warn({ file: p0f_fp, line, reason: quote(message) }, 'a signature is left out')
    }
    const fingerprinter = new SynFingerprinter(database)
    return (event) => {
      const packet = deckyPacket(event)
      if (!packet?.isSyn || isFromDecky(event)) return undefined
      return {
        topic: 'sniffer.tcp_syn_fingerprint',
        time: event.time,
        data: synFields(packet, fingerprinter, deckyOf(event)),
      }
    }
  },
})

function synFields(packet: Packet, fingerprinter: SynFingerprinter, decky: string) {
  const syn = synFeaturesOf(packet)
  const { options } = syn
  const read = fingerprinter.read(syn)
  const isV4 = packet.ipVersion === 4
  const { src_ip, src_port, dst_ip, dst_port } = endpointsOf(packet, true)
  // Without a spread: an object of so many members is made at once only if all are named.
  return {
    src_ip,
    src_port,
    dst_ip,
    dst_port,
    ttl: String(packet.ttl),
    initial_ttl: String(read.initialTtl),
    hop_distance: String(hopDistance(packet.ttl)),
    window: String(packet.window),
    mss: String(options.mss),
    wscale: options.windowScale < 0 ? '' : String(options.windowScale),
    options_sig: read.optionsSig,
    has_sack: String(read.optionsSig.includes('S')),
    has_timestamps: String(read.optionsSig.includes('T')),
    tos: String(packet.tos),
    dscp: String(dscpOf(packet.tos)),
    ecn: String(ecnOf(packet.tos)),
    // For `sequence_class` to fill in, which sees one SYN after the other.
    ipid_class: 'unknown',
    ipid_samples: '0',
    isn_class: 'unknown',
    isn_samples: '0',
    os_guess: osGuess(syn, read, isV4 ? targetOf(packet) : undefined),
    df: packet.dontFragment ? '1' : '0',
    ip_version: isV4 ? '4' : '6',
    ip_len: String(packet.ipLength),
    ip_id: String(packet.ipId),
    isn: String(packet.seq),
    p0f_sig: read.p0fSig,
    p0f_label: read.p0fMatch.label,
    p0f_params: read.p0fParams,
    decky,
  }
}

const targetOf = ({ bytes, ipStart, dstPort }: Packet) => ({
  address: bytes.readUInt32BE(ipStart + 16),
  port: dstPort,
})
