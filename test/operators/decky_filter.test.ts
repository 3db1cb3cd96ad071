import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { harness, type TestEvent } from '../../engine/harness.ts'
import type { Context } from '../../engine/index.ts'
import { deckyFilter } from '../../operators/decky_filter.ts'
import { ipv4, ipv6, tcp, udp } from '../protocols/packet/frames.ts'
import { DECKIES, DECKY, FLAG, frameEvent, REMOTE } from './sniffed_packets.ts'

const OTHER = '192.0.2.11'

const filter = (config = {}, deckies: Readonly<Record<string, string>> = DECKIES) =>
  harness(deckyFilter, config, { deckies })

const packet = (src: string, dst: string, parts: Parameters<typeof tcp>[1] = {}, time = 1000) =>
  frameEvent(ipv4(6, tcp('', parts), { src, dst }), time)

/** What it adds to an event; the decoded packet is beside that, under a symbol. */
const marksOf = (events: readonly { data: Record<string, unknown> }[]) =>
  events.map(({ data }) => {
    const { link_type, frame_b64, wire_length, ...marks } = JSON.parse(JSON.stringify(data))
    return marks
  })

describe('decky_filter', () => {
  it('says of a packet which decky it goes to or comes from', () => {
    const out = filter().send(packet(REMOTE, DECKY), packet(DECKY, REMOTE))
    expect(marksOf(out)).toEqual([
      { decky: 'decky-a', from_decky: false },
      { decky: 'decky-a', from_decky: true },
    ])
    expect(out.map(({ topic }) => topic)).toEqual(['sniffer.packet', 'sniffer.packet'])
  })

  it('takes the destination for the decky where both are', () => {
    expect(marksOf(filter().send(packet(DECKY, OTHER), packet(OTHER, DECKY)))).toEqual([
      { decky: 'decky-b', from_decky: false, internal: true },
      { decky: 'decky-a', from_decky: false, internal: true },
    ])
  })

  it('drops what concerns no decky, whatever else it is, and keeps nothing of it', () => {
    const run = filter()
    const strangers = Array.from({ length: 1000 }, (_, n) =>
      packet(`198.51.100.${n % 250}`, '198.51.100.251', { seq: n }),
    )
    expect(run.send(...strangers)).toEqual([])
    expect(run.counters).toMatchObject({ in: 1000, filtered: 1000 })
    expect(run.errors).toEqual([])
  })

  it('drops what is no TCP, UDP or ICMPv6 and refuses what is no packet', () => {
    const run = filter()
    expect(run.send(frameEvent(ipv4(1, Buffer.alloc(8)), 1))).toEqual([])
    expect(run.errors).toEqual([])
    expect(run.send({ data: { link_type: 1 } })).toEqual([])
    expect(run.errors).toMatchObject([{ data: { code: 'PACKET_JSON' } }])
  })

  it('passes UDP, and knows IPv6 and mapped addresses however they are spelled', () => {
    const run = filter({ deckies: { '2001:DB8:0::A': 'six', '::ffff:192.0.2.12': 'mapped' } })
    const out = run.send(
      frameEvent(ipv6(6, tcp()), 1),
      frameEvent(ipv4(17, udp('x'), { dst: '192.0.2.12' }), 1),
    )
    expect(out.map(({ data }) => data.decky)).toEqual(['six', 'mapped'])
  })

  it('counts deckies given by hand before those of the answer', () => {
    const run = filter({ deckies: { [DECKY]: 'by-hand' } })
    expect(marksOf(run.send(packet(REMOTE, DECKY), packet(REMOTE, OTHER)))).toMatchObject([
      { decky: 'by-hand' },
      { decky: 'decky-b' },
    ])
  })

  it('knows no decky where nothing is deployed', () => {
    expect(filter({}, {}).send(packet(REMOTE, DECKY))).toEqual([])
  })

  it.each(['nonsense', '192.0.2.300', '192.0.2.0/24'])('refuses %s as an address', (address) => {
    expect(() => filter({ deckies: { [address]: 'x' } })).toThrow(/no IP address/)
  })

  it('drops a second copy of a packet within 2 ms and counts it, unless told not to', () => {
    const copies = [0, 1.5, 2.5].map((ms) => packet(REMOTE, DECKY, { seq: 9 }, 1000 + ms))
    const run = filter()
    expect(run.send(...copies)).toHaveLength(2)
    expect(Object.fromEntries(run.counters.reasons)).toEqual({ duplicate_frame: 1 })
    expect(filter({ drop_duplicates: false }).send(...copies)).toHaveLength(3)
  })

  it('goes on the same after a crash', () => {
    const run = filter()
    run.send(packet(REMOTE, DECKY))
    run.crashAndRestore()
    expect(run.send(packet(DECKY, REMOTE))).toHaveLength(1)
  })

  describe('with all', () => {
    const all = (...events: TestEvent[]) => marksOf(filter({ all: true }, {}).send(...events))
    const [CLIENT, SERVER] = ['198.51.100.1', '203.0.113.9']

    it('names a decky after the address that is connected to', () => {
      expect(all(packet(CLIENT, SERVER, { src: 50_000, dst: 443 }))).toEqual([
        { decky: '203-0-113-9', from_decky: false, guessed: true },
      ])
      expect(all(frameEvent(ipv6(6, tcp()), 1))).toMatchObject([{ decky: '2001-db8--a' }])
    })

    it.each([
      ['a SYN to a higher port', { src: 20, dst: 2000, flags: FLAG.syn }, false],
      ['an answer from a higher port', { src: 2000, dst: 20, flags: FLAG.syn | FLAG.ack }, true],
      ['a SYN to a lower port', { src: 2000, dst: 20, flags: FLAG.syn }, false],
      ['a segment to a lower port', { src: 2000, dst: 20 }, false],
      ['a segment from a lower port', { src: 20, dst: 2000 }, true],
    ])('tells who connects: %s', (_, parts, from_decky) => {
      expect(all(packet(CLIENT, SERVER, parts))).toMatchObject([{ from_decky }])
    })

    it('takes each end for the same one throughout, where both have one port', () => {
      const ports = { src: 500, dst: 500 }
      const [there, back] = all(packet(CLIENT, SERVER, ports), packet(SERVER, CLIENT, ports))
      expect([there?.decky, there?.from_decky]).toEqual([back?.decky, !back?.from_decky])
    })

    it('still goes by the map where that has an address', () => {
      const run = filter({ all: true })
      expect(marksOf(run.send(packet(DECKY, REMOTE, { src: 50_000, dst: 443 })))).toEqual([
        { decky: 'decky-a', from_decky: true },
      ])
    })
  })

  describe('asks who the deckies are', () => {
    let dir: string
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), 'decnet-filter-'))
    })
    afterEach(() => rmSync(dir, { recursive: true }))

    /** The answer to its one question, each time it is called; `rows` are those of a database. */
    function asking(config: Record<string, unknown>, rows: () => Record<string, string>[]) {
      const selects: string[] = []
      const clock = { now: 0 }
      const select = async (sql: string) => {
        const isList = sql.includes('sqlite_master')
        if (!isList) selects.push(sql)
        return isList ? [{ name: 'fleet_deckies' }] : rows()
      }
      const context = {
        clock: { now: () => clock.now },
        use: async () => ({ dialect: 'sqlite', select }),
        log: { warn: () => undefined },
      } as unknown as Context
      const whole = { deckies: {}, refresh: 60_000, database: false, all: false, ...config }
      const enrichment = deckyFilter.enrich?.({ ...whole, drop_duplicates: true } as never, context)
      const { signal } = new AbortController()
      const ask = async () => (await enrichment?.ask(['deckies'], signal))?.get('deckies')
      return { ask, clock, selects }
    }

    it('of the state file for each batch, and of the database once in a while', async () => {
      const state_file = join(dir, 'state.json')
      const write = (...deckies: object[]) =>
        writeFileSync(state_file, JSON.stringify({ config: { deckies } }))
      let rows = [{ name: 'row', ip: '192.0.2.20' }]
      const { ask, clock, selects } = asking({ state_file, database: true }, () => rows)
      write({ name: 'file', ip: DECKY })
      expect(await ask()).toEqual({ [DECKY]: 'file', '192.0.2.20': 'row' })
      rows = []
      write({ name: 'other', ip: DECKY }, { name: 'more', ip: OTHER })
      clock.now = 59_999
      const second = await ask()
      expect(second).toEqual({ [DECKY]: 'other', [OTHER]: 'more', '192.0.2.20': 'row' })
      expect(await ask()).toBe(second)
      expect(selects).toHaveLength(1)
      clock.now = 60_000
      expect(await ask()).toEqual({ [DECKY]: 'other', [OTHER]: 'more' })
      expect(selects).toHaveLength(2)
    })

    it('of no database unless told to', async () => {
      const { ask, selects } = asking({}, () => [{ name: 'row', ip: '192.0.2.20' }])
      expect(await ask()).toEqual({})
      expect(selects).toEqual([])
    })
  })
})
