/**
 * What a program for this one purpose would do with a capture: the same codecs and the same state in
 * plain maps, in one loop; no engine, no events. `node bench/_sniffer_loop.ts FILE IP...` prints how
 * many events would have left, after the repeats of five minutes were dropped.
 */
import { createReadStream } from 'node:fs'
import {
  addSegment,
  type FlowTiming,
  isTrivial,
  newFlow,
} from '../protocols/fingerprint/flow_timing.ts'
import { hassh } from '../protocols/fingerprint/hassh.ts'
import { ownSignatures } from '../protocols/fingerprint/own_signatures.ts'
import { synFeaturesOf } from '../protocols/fingerprint/packet_features.ts'
import {
  appendSample,
  classify,
  IP_ID_MODULUS,
  ISN_MODULUS,
} from '../protocols/fingerprint/sequence_class.ts'
import { osGuess, SynFingerprinter } from '../protocols/fingerprint/syn_fingerprint.ts'
import { decodePacket } from '../protocols/packet/decode.ts'
import { type Packet, PROTOCOL, TCP_FLAG } from '../protocols/packet/packet.ts'
import { CaptureReader } from '../protocols/pcap/capture_reader.ts'
import { type ClientFields, clientFields, sessionFields } from '../protocols/sniffer/tls_fields.ts'
import { readSshBanner, startsSsh } from '../protocols/ssh/banner.ts'
import { readKexInit } from '../protocols/ssh/kexinit.ts'
import { keepHead } from '../protocols/tcp/stream_head.ts'
import { feedStart, finish, newStart, type StreamStart } from '../protocols/tcp/stream_start.ts'
import { leafCertificate, parseCertificate } from '../protocols/tls/certificate.ts'
import { parseClientHello } from '../protocols/tls/client_hello.ts'
import { handshakeType } from '../protocols/tls/handshake_message.ts'
import { parseServerHello } from '../protocols/tls/server_hello.ts'
import {
  endTls,
  feedTls,
  newTlsSide,
  SERVER_BYTES,
  type TlsSide,
} from '../protocols/tls/tls_side.ts'

const [capture = '', ...addresses] = process.argv.slice(2)
const deckies = new Set(addresses)
const fingerprinter = new SynFingerprinter(ownSignatures())

interface Source {
  ipIds: number[]
  isns: number[]
}
interface Talk {
  remote?: TlsSide
  decky?: TlsSide
  ssh?: StreamStart
  banner?: string
  hello?: ClientFields
}

const MOST_SOURCES = 65_536
const MOST_TALKS = 8192
const WINDOW = 300_000
let events = 0

/** A map whose oldest key makes room for a new one. */
class Bounded<T> extends Map<string, T> {
  readonly #most: number
  // An iterator made anew for each eviction would walk over all that was deleted before.
  #oldest = this.keys()

  constructor(most: number) {
    super()
    this.#most = most
  }

  override set(key: string, value: T): this {
    if (this.size >= this.#most) {
      let next = this.#oldest.next()
      if (next.done) {
        this.#oldest = this.keys()
        next = this.#oldest.next()
      }
      this.delete(next.value as string)
    }
    return super.set(key, value)
  }
}

const sources = new Bounded<Source>(MOST_SOURCES)
const flows = new Bounded<FlowTiming>(MOST_SOURCES)
const talks = new Bounded<Talk>(MOST_TALKS)
const emitted = new Bounded<number>(MOST_SOURCES)

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  const there = map.get(key)
  if (there !== undefined) return there
  const made = make()
  map.set(key, made)
  return made
}

function emit(key: string, time: number): void {
  if ((emitted.get(key) ?? 0) > time) return
  emitted.set(key, time + WINDOW)
  events += 1
}

function syn(packet: Packet): void {
  const features = synFeaturesOf(packet)
  const read = fingerprinter.read(features)
  const address = packet.bytes.readUInt32BE(packet.ipStart + 16)
  const os = osGuess(features, read, { address, port: packet.dstPort })
  const source = kept(sources, packet.src, () => ({ ipIds: [], isns: [] }))
  source.ipIds = appendSample(source.ipIds, packet.ipId)
  source.isns = appendSample(source.isns, packet.seq)
  const ipId = classify(source.ipIds, { modulus: IP_ID_MODULUS })
  const isn = classify(source.isns, { modulus: ISN_MODULUS })
  emit(`syn ${packet.src} ${os} ${read.optionsSig} ${ipId} ${isn}`, packet.time)
}

function flow(packet: Packet, fromRemote: boolean, key: string): void {
  const timing = kept(flows, key, () => newFlow(packet.time))
  const isOver = addSegment(timing, {
    ...{ time: packet.time, fromRemote, seq: packet.seq, flags: packet.tcpFlags },
    payloadLength: packet.wirePayloadLength,
  })
  if (!isOver) return
  flows.delete(key)
  if (isTrivial(timing)) return
  const [remote, decky, port] = fromRemote
    ? [packet.src, packet.dst, packet.dstPort]
    : [packet.dst, packet.src, packet.srcPort]
  emit(`flow ${remote} ${decky} ${port}`, packet.time)
}

function talk(packet: Packet, fromRemote: boolean, key: string): void {
  const state = kept(talks, key, (): Talk => ({}))
  const { payload, seq, time } = packet
  const remote = fromRemote ? packet.src : packet.dst
  const end = fromRemote ? 'remote' : 'decky'
  state[end] ??= newTlsSide()
  const side = state[end]
  for (const { type, bytes, start, end: stop } of feedTls(side, seq, payload, time, SERVER_BYTES)) {
    if (type === handshakeType.clientHello) {
      const hello = parseClientHello(bytes, start, stop)
      if (!hello) continue
      state.hello = clientFields(hello, 't')
      emit(`hello ${remote} ${state.hello.ja3} ${state.hello.ja4}`, time)
    } else if (type === handshakeType.serverHello) {
      const hello = parseServerHello(bytes, start, stop)
      if (!hello) continue
      const { ja3s } = sessionFields(hello, state.hello)
      emit(`session ${remote} ${state.hello?.ja3} ${ja3s} ${state.hello?.ja4}`, time)
      if (!fromRemote) endTls(side)
    } else if (type === handshakeType.certificate && fromRemote) {
      const leaf = leafCertificate(bytes, start, stop)
      const read = leaf && parseCertificate(bytes, leaf.start, leaf.end)
      if (read) emit(`cert ${remote} ${read.subjectCn} ${read.issuer}`, time)
    }
  }
  if (fromRemote) ssh(state, packet)
}

function ssh(state: Talk, { payload, seq, time, src }: Packet): void {
  state.ssh ??= newStart()
  const options = { begins: startsSsh, limit: 16_384, tries: 8 }
  const whole = feedStart(state.ssh, seq, payload, time, options)
  if (!whole || !state.ssh.head) return
  const banner = readSshBanner(whole, 0, whole.length)
  if (banner.state === 'none') finish(state.ssh)
  else if (banner.state === 'more') keepHead(state.ssh.head, whole)
  else {
    if (state.banner === undefined) emit(`banner ${src} ${banner.text}`, time)
    state.banner = banner.text
    const read = readKexInit(whole, banner.next, whole.length)
    if (read.state === 'more') keepHead(state.ssh.head, whole)
    else finish(state.ssh)
    if (read.state === 'found') emit(`kex ${src} ${hassh(read.kex).hassh}`, time)
  }
}

const END = TCP_FLAG.FIN | TCP_FLAG.RST

function see(packet: Packet): void {
  const fromRemote = deckies.has(packet.dst)
  if ((!fromRemote && !deckies.has(packet.src)) || packet.protocol !== PROTOCOL.TCP) return
  const { src, srcPort, dst, dstPort } = packet
  const key = fromRemote
    ? `${src} ${srcPort} ${dst} ${dstPort}`
    : `${dst} ${dstPort} ${src} ${srcPort}`
  if (packet.isSyn && fromRemote) syn(packet)
  flow(packet, fromRemote, key)
  if (packet.payloadEnd > packet.payloadStart) talk(packet, fromRemote, key)
  if ((packet.tcpFlags & END) !== 0) talks.delete(key)
}

const reader = new CaptureReader()
for await (const chunk of createReadStream(capture, { highWaterMark: 1024 * 1024 })) {
  reader.push(chunk as Buffer)
  for (let block = reader.take(); block; block = reader.take()) {
    const { bytes, count, starts, ends, linkTypes, wireLengths, times } = block
    for (let index = 0; index < count; index++) {
      const packet = decodePacket(
        bytes,
        starts[index] as number,
        ends[index] as number,
        linkTypes[index] as number,
        wireLengths[index] as number,
        times[index] as number,
      )
      if (packet) see(packet)
    }
  }
}
process.stdout.write(`${events}\n`)
