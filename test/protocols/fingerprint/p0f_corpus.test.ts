import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { statelessScanner } from '../../../protocols/fingerprint/os_label.ts'
import { type P0fDatabase, readP0fDatabase } from '../../../protocols/fingerprint/p0f_database.ts'
import { linkOf, matchParams, type P0fModule } from '../../../protocols/fingerprint/p0f_match.ts'
import { matchRawSignature } from '../../../protocols/fingerprint/p0f_raw_match.ts'
import { parseSignature, printSignature } from '../../../protocols/fingerprint/p0f_signature.ts'
import { SynFingerprinter } from '../../../protocols/fingerprint/syn_fingerprint.ts'
import { corpusBytes, corpusIsHere, corpusLines } from './corpus.ts'
import { ipPackets, readIp, type TestPacket } from './syn_packet.ts'

interface P0fEvent {
  readonly mod: string
  readonly cli: string
  readonly srv: string
  readonly os?: string
  readonly app?: string
  readonly dist: string
  readonly params: string
  readonly raw_sig: string
  readonly link?: string
  readonly raw_mtu?: string
}

interface Capture {
  readonly file: string
  readonly p0f?: readonly P0fEvent[]
}

let database: P0fDatabase | undefined
const p0fDatabase = (): P0fDatabase => {
  database ??= readP0fDatabase(corpusBytes('fingerprint-vectors/p0f.fp').toString('utf8'))
  return database
}

const captures = (): Capture[] =>
  corpusLines('pcap/expected.jsonl').map((line) => JSON.parse(line) as Capture)

const isModule = (name: string): name is P0fModule => name === 'syn' || name === 'syn+ack'

function packetsOf(file: string): TestPacket[] {
  const bytes = corpusBytes(`pcap/${file}`)
  const capture = file.endsWith('.gz') ? gunzipSync(bytes) : bytes
  // The few pcapng files are left to the tests of that format.
  if (capture.readUInt32BE(0) === 0x0a0d0d0a) return []
  return [...ipPackets(capture)].flatMap((ip) => readIp(ip) ?? [])
}

describe.runIf(corpusIsHere)('against p0f', () => {
  it("reads every line of p0f's own file", () => {
    expect(p0fDatabase()).toMatchObject({ signatures: 192, problems: [] })
    expect(p0fDatabase().links.get(1492)).toBe('DSL')
  })

  it('labels what p0f saw on a honeypot as p0f did', () => {
    const rows = corpusLines('fingerprint-vectors/p0f-syn-vectors.tsv').slice(1)
    expect(rows).toHaveLength(919)
    const wrong = rows.filter((row) => {
      const [module = '', raw = '', label, params = '', dist] = row.split('\t')
      const match = matchRawSignature(p0fDatabase(), module as P0fModule, raw)
      const tos = Number(/tos:(0x..)/.exec(params)?.[1] ?? 0) << 2
      return (
        match.label !== label ||
        matchParams(match, tos) !== params ||
        `${match.distance}` !== dist ||
        printSignature(parseSignature(raw)) !== raw
      )
    })
    expect(wrong).toEqual([])
  })

  it('labels the signatures p0f read from captures as p0f did', () => {
    const wrong = captures().flatMap(({ file, p0f = [] }) =>
      p0f
        .filter(({ mod, raw_sig, os, app }) => {
          if (!isModule(mod)) return false
          return matchRawSignature(p0fDatabase(), mod, raw_sig).label !== (os ?? app)
        })
        .map((event) => ({ file, event })),
    )
    expect(wrong).toEqual([])
  })

  it('makes of the packets themselves what p0f made of them', () => {
    const fingerprinter = new SynFingerprinter(p0fDatabase())
    let compared = 0
    const wrong = captures().flatMap(({ file, p0f = [] }) => {
      if (!p0f.some(({ mod }) => isModule(mod))) return []
      const seen = new Set<string>()
      const mssOf = new Map<string, number>()
      for (const packet of packetsOf(file)) {
        if ((packet.flags & 2) === 0) continue
        const from = `${packet.source}/${packet.sourcePort}`
        const to = `${packet.destination}/${packet.destinationPort}`
        const answer = (packet.flags & 16) !== 0
        if (!answer) mssOf.set(from + to, packet.options.mss)
        const found = fingerprinter.read(packet, mssOf.get(to + from) ?? 0)
        const { label, distance } = found.p0fMatch
        const ends = answer ? `syn+ack ${to} ${from}` : `syn ${from} ${to}`
        seen.add(`${ends} ${label} ${distance} ${found.p0fParams} ${found.p0fSig}`)
      }
      if (seen.size === 0) return []
      return p0f.flatMap(({ mod, cli, srv, os, app, dist, params, raw_sig }) => {
        if (!isModule(mod)) return []
        compared += 1
        const line = `${mod} ${cli} ${srv} ${os ?? app} ${dist} ${params} ${raw_sig}`
        return seen.has(line) ? [] : { file, line, seen: [...seen] }
      })
    })
    expect(wrong).toEqual([])
    expect(compared).toBeGreaterThan(200)
  })

  it('names the link as p0f did', () => {
    const mtus = captures().flatMap(({ p0f = [] }) => p0f.filter(({ mod }) => mod === 'mtu'))
    expect(mtus.length).toBeGreaterThan(200)
    const wrong = mtus.filter(
      ({ link, raw_mtu, cli }) =>
        (linkOf(p0fDatabase(), cli.includes(':') ? 6 : 4, Number(raw_mtu) - headersOf(cli)) ??
          '???') !== link,
    )
    expect(wrong).toEqual([])
  })

  it('knows masscan by the cookie in every packet of a scan', () => {
    const scan = packetsOf('esnet/tcp_0_1000_20190821.pcap').filter(({ flags }) => flags === 2)
    expect(scan).toHaveLength(1001)
    const missed = scan.filter(
      (syn) =>
        statelessScanner(syn, { address: syn.destinationNumber, port: syn.destinationPort }) !==
        'masscan',
    )
    expect(missed).toEqual([])
  })
})

const headersOf = (end: string): number => (end.includes(':') ? 60 : 40)
