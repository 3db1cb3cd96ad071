/** What the sniffer finds in real captures, against what other programs found in them. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Event } from '../../engine/index.ts'
import { corpusIsHere, corpusLines, corpusPath } from '../protocols/fingerprint/corpus.ts'
import { sniff } from './sniffing.ts'

interface Hash {
  readonly src: string
  readonly sport: string
  readonly dst: string
  readonly dport: string
  readonly hash: string
}
interface Expected {
  readonly file: string
  readonly ja3?: readonly Hash[]
  readonly ja3s?: readonly Hash[]
  readonly hassh?: readonly Hash[]
  readonly hassh_server?: readonly Hash[]
  readonly ja4?: readonly Readonly<Record<string, unknown>>[]
  readonly syn_count?: number
  readonly p0f?: readonly {
    readonly mod: string
    readonly cli: string
    readonly srv: string
    readonly os?: string
    readonly app?: string
    readonly params: string
    readonly raw_sig: string
  }[]
}

/** Field of an event, its topics, and whether it is the client that it is told of. */
const HASHES = [
  ['ja3', /client_hello$/, 'client'],
  ['ja3s', /session$/, 'server'],
  ['hassh', /ssh_client_kex$/, 'client'],
  ['hassh_server', /ssh_server_kex$/, 'server'],
] as const

/** What we find and the others did not. */
const MORE = [
  // The server says a line first; they look at the first segment alone.
  ['server-pre-banner-data', 'hassh_server'],
  // TLS inside of an HTTP CONNECT.
  ['https-to-http', 'ja3'],
] as const

/** In a tunnel they name the addresses of all layers. */
const inner = (addresses: string): string => addresses.split('|').at(-1) ?? ''

const captures: { expected: Expected; events: Event[] }[] = []

function found(events: readonly Event[], [field, topic, end]: (typeof HASHES)[number]): string[] {
  return events.flatMap(({ topic: of, data }) => {
    if (data[field] === undefined || !topic.test(of)) return []
    const ends = [`${data.src_ip}:${data.src_port}`, `${data.dst_ip}:${data.dst_port}`]
    return `${data[field]} ${(end === 'client' ? ends : ends.toReversed()).join('>')}`
  })
}

const wanted = (hashes: readonly Hash[] = []): string[] =>
  hashes.map(
    ({ hash, src, sport, dst, dport }) => `${hash} ${inner(src)}:${sport}>${inner(dst)}:${dport}`,
  )

describe.runIf(corpusIsHere)('the sniffer on real captures', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    for (const line of corpusLines('pcap/expected.jsonl')) {
      const expected = JSON.parse(line) as Expected
      const events = await sniff(corpusPath(`pcap/${expected.file}`), {
        p0fFile: corpusPath('fingerprint-vectors/p0f.fp'),
      })
      captures.push({ expected, events })
    }
  }, 120_000)

  it('finds each JA3, JA3S, HASSH and HASSHServer that others found, as often, at the same ends', () => {
    let count = 0
    const more: string[] = []
    for (const { expected, events } of captures) {
      for (const kind of HASHES) {
        const want = wanted(expected[kind[0]]).sort()
        const got = found(events, kind).sort()
        count += want.length
        const missed = want.filter((one, n) => want.indexOf(one) === n && !got.includes(one))
        expect({ file: expected.file, missed }).toEqual({ file: expected.file, missed: [] })
        for (const one of new Set(got)) {
          const times = (list: readonly string[]) => list.filter((other) => other === one).length
          if (times(want) === 0) more.push(`${expected.file} ${kind[0]}`)
          else expect([expected.file, one, times(got)]).toEqual([expected.file, one, times(want)])
        }
      }
    }
    expect(count).toBeGreaterThanOrEqual(121)
    expect(more).toHaveLength(MORE.length)
    for (const [file, kind] of MORE) {
      expect(
        more.some((one) => one.includes(file) && one.endsWith(` ${kind}`)),
        file,
      ).toBe(true)
    }
  })

  it('finds each JA4 that others found', () => {
    let count = 0
    const missed = captures.flatMap(({ expected, events }) => {
      const got = new Set(events.map(({ data }) => data.ja4))
      return (expected.ja4 ?? [])
        .flatMap((one) => one['JA4.1'] ?? [])
        .filter((ja4) => {
          count += 1
          return !got.has(ja4)
        })
        .map((ja4) => `${expected.file} ${ja4}`)
    })
    expect(missed).toEqual([])
    expect(count).toBeGreaterThanOrEqual(32)
  })

  it('sees as many SYNs as there are', () => {
    const differing = captures.flatMap(({ expected: { file, syn_count }, events }) => {
      const syns = events.filter(({ topic }) => topic === 'sniffer.tcp_syn_fingerprint').length
      return syn_count === undefined || syns === syn_count ? [] : { file, syn_count, syns }
    })
    expect(differing).toEqual([])
  })

  it("labels each SYN as p0f does, with p0f's own signatures", () => {
    let compared = 0
    const differing = captures.flatMap(({ expected: { file, p0f = [] }, events }) => {
      const seen = new Set(
        events
          .filter(({ topic }) => topic === 'sniffer.tcp_syn_fingerprint')
          .map(({ data }) => {
            const ends = `${data.src_ip}/${data.src_port} ${data.dst_ip}/${data.dst_port}`
            return `${ends} ${data.p0f_label} ${data.p0f_params} ${data.p0f_sig}`
          }),
      )
      return p0f
        .filter(({ mod }) => mod === 'syn')
        .flatMap(({ cli, srv, os, app, params, raw_sig }) => {
          compared += 1
          const line = `${short(cli)} ${short(srv)} ${os ?? app} ${params} ${raw_sig}`
          return seen.has(line) ? [] : { file, line, seen: [...seen].slice(0, 3) }
        })
    })
    expect(differing).toEqual([])
    expect(compared).toBeGreaterThan(100)
  })

  it('finds the same again, to the byte, in whatever batches', async () => {
    const [first] = captures.filter(({ expected }) => (expected.ja3?.length ?? 0) > 2)
    if (!first) throw new Error('no capture with TLS')
    const path = corpusPath(`pcap/${first.expected.file}`)
    for (const batchSize of [1, 7, 512]) {
      const again = await sniff(
        path,
        { p0fFile: corpusPath('fingerprint-vectors/p0f.fp') },
        batchSize,
      )
      expect(JSON.stringify(again)).toBe(JSON.stringify(first.events))
    }
  })
})

/** p0f writes IPv6 addresses without `::`. */
function short(end: string): string {
  const [address = '', port = ''] = end.split('/')
  return address.includes(':')
    ? `${new URL(`http://[${address}]`).hostname.slice(1, -1)}/${port}`
    : end
}
