import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../../cli/registry.ts'
import { compileNode } from '../../../engine/compile.ts'
import { findComponent, type Reject } from '../../../engine/define.ts'
import type { Draft } from '../../../engine/event.ts'
import { packetOf } from '../../../protocols/packet/packet_data.ts'
import { readCaptureStream } from '../../../sources/pcap/capture_stream.ts'
import { pcap } from '../../../sources/pcap.ts'
import { sourceContext, startSource } from '../source_run.ts'
import { FORMS, pcapngOf, pcapOf, START, synFrame } from './captures.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'decnet-pcap-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const component = findComponent(registry, 'sources', 'pcap') ?? pcap
const compiled = (config: object) => compileNode(component, config)

function written(bytes: Buffer, name = 'a.pcap'): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

async function readFile(bytes: Buffer, position?: unknown) {
  const run = startSource(pcap, compiled({ file: written(bytes) }), position).flow()
  await run.done
  return run
}

/** Events as they are written down: without the decoded packet. */
const plain = (events: readonly (Draft | Reject)[]): Draft[] => JSON.parse(JSON.stringify(events))

const ids = (events: readonly (Draft | Reject)[]) =>
  events.map((event) => ('failure' in event ? event.draft.id : event.id))

describe('a capture file', () => {
  it.each(FORMS)('is read to its end: %s', async (_, make) => {
    const { events, logs } = await readFile(make(5))
    expect(events.length).toBe(5)
    events.forEach((event, index) => {
      if ('failure' in event) throw new Error('a reject')
      const frame = synFrame(40_000 + index, index % 7)
      expect(event).toMatchObject({ topic: 'pcap.packet', time: START + index * 0.125 })
      expect({ ...event.data }).toMatchObject({
        link_type: 1,
        frame_b64: frame.toString('base64'),
        wire_length: frame.length,
      })
      expect(packetOf(event.data, event.time)).toMatchObject({ srcPort: 40_000 + index })
    })
    expect(logs).toEqual([])
  })

  it('gives packets ids of their own, the same ones packed or not', async () => {
    const first = ids((await readFile(pcapOf(1500))).events)
    expect(new Set(first).size).toBe(1500)
    for (const id of first) expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(first[0]?.slice(16)).toBe((40).toString(16).padStart(16, '0'))
    expect(ids((await readFile(gzipSync(pcapOf(1500)))).events)).toEqual(first)
    expect(ids((await readFile(pcapOf(1500))).events)).toEqual(first)
  })

  it.each(FORMS)('is gone on with behind any chunk after a restart: %s', async (_, make) => {
    // More than one pull, so that there are places to stop at.
    const bytes = make(2000)
    const whole = await readFile(bytes)
    const config = compiled({ file: written(bytes) })
    for (let pulls = 1; ; pulls++) {
      const before = startSource(pcap, config)
      for (let pull = 0; pull < pulls; pull++) await before.pull()
      await before.stop()
      const position = JSON.parse(JSON.stringify(before.position))
      const after = startSource(pcap, config, position).flow()
      await after.done
      expect(plain([...before.events, ...after.events])).toEqual(plain(whole.events))
      if (after.events.length === 0) break
    }
  })

  it.each([
    ['pcap', pcapOf],
    ['pcapng', pcapngOf],
  ])('has the same events and ids when reading goes on at any record: %s', async (_, make) => {
    const whole = await readFile(make(30))
    for (let count = 1; count <= 30; count++) {
      // The file as it was while it was being written, and what was saved of it then.
      const first = await readFile(make(count))
      const rest = await readFile(make(30), JSON.parse(JSON.stringify(first.position)))
      const expected = plain(whole.events.slice(count)).map((event) => sameHead(event, first))
      expect(plain(rest.events)).toEqual(expected)
    }
  })

  /** A file shorter than what is fingerprinted of it keeps the name it had then. */
  function sameHead(event: Draft, first: { events: (Draft | Reject)[] }) {
    return { ...event, id: `${ids(first.events)[0]?.slice(0, 16)}${event.id?.slice(16)}` }
  }

  it('of another content is read from its start', async () => {
    const first = await readFile(pcapOf(3))
    const other = await readFile(pcapngOf(3), first.position)
    expect(other.events.length).toBe(3)
    expect(other.logs.map(({ message }) => message)).toEqual([
      'this is another capture than the last; read from its start',
    ])
  })

  it('that was cut keeps what is whole, and says where it was cut', async () => {
    const bytes = pcapOf(3)
    const end = (await readFile(pcapOf(2))).position as { offset: number }
    for (let length = end.offset + 1; length < bytes.length; length++) {
      const { events, logs } = await readFile(bytes.subarray(0, length))
      expect(events.length).toBe(2)
      expect(logs).toMatchObject([
        { fields: { offset: end.offset }, message: `truncated capture at byte ${end.offset}` },
      ])
    }
  })

  it('whose gzip was cut keeps what came out of it', async () => {
    const packed = gzipSync(pcapOf(3000))
    const { events, logs } = await readFile(packed.subarray(0, packed.length / 2))
    expect(events.length).toBeGreaterThan(100)
    expect(logs[0]?.message).toMatch(/^truncated capture at byte \d+$/)
  })

  it.each([
    ['nothing', ''],
    ['text', 'no capture at all\n'.repeat(100)],
  ])('that holds %s is refused', async (_, text) => {
    await expect(readFile(Buffer.from(text))).rejects.toMatchObject({
      code: 'CAPTURE_FORMAT',
      message: expect.stringMatching(/^cannot read ".*a\.pcap": unsupported capture format$/),
    })
  })

  it('of a link type that is not read is refused', async () => {
    await expect(readFile(pcapOf(1, 147))).rejects.toMatchObject({
      code: 'CAPTURE_LINK_TYPE',
      message: expect.stringContaining('unsupported linktype 147'),
    })
  })

  it('that is not there is unavailable, and what is no file is refused', async () => {
    const absent = startSource(pcap, compiled({ file: join(folder, 'absent') }))
    await expect(absent.pull()).rejects.toMatchObject({ code: 'FILE_ABSENT' })
    const fifo = join(folder, 'fifo')
    spawnSync('mkfifo', [fifo])
    const pipe = startSource(pcap, compiled({ file: fifo }))
    await expect(pipe.pull()).rejects.toMatchObject({ code: 'NOT_A_FILE' })
  })

  it('is closed when the pipeline stops in the middle of it', async () => {
    const run = startSource(pcap, compiled({ file: written(pcapOf(3000)) }))
    await run.pull()
    await run.stop()
    expect(await run.pull()).toBe(false)
    expect(run.events.length).toBeLessThan(3000)
  })
})

describe('a capture that is replayed', () => {
  const captured = async (parts: Iterable<Buffer>, warn = (_: string): void => undefined) => {
    const events: (Draft | Reject)[] = []
    const offsets: number[] = []
    const chunks = pcap.readCapture?.(Readable.from(parts), compiled({}), { node: 'lines', warn })
    for await (const chunk of chunks ?? []) {
      events.push(...chunk.events)
      offsets.push(...chunk.offsets)
    }
    return { events, offsets }
  }

  it.each([
    ['pcap', pcapOf],
    ['pcapng', pcapngOf],
  ])('gives the events and ids of a run, however it is cut: %s', async (_, make) => {
    const bytes = make(20)
    const expected = plain((await readFile(bytes)).events)
    for (let at = 1; at < bytes.length; at++) {
      const { events, offsets } = await captured([bytes.subarray(0, at), bytes.subarray(at)])
      expect(plain(events)).toEqual(expected)
      expect(offsets).toEqual(ids(events).map((id) => Number.parseInt(id?.slice(16) ?? '', 16)))
    }
  })

  it('may be events, one on each line; what is none is refused line by line', async () => {
    const [event] = plain((await readFile(pcapOf(1))).events)
    const { id, ...rest } = event as Draft
    const lines = [{ ...rest, id }, rest].map((one) => JSON.stringify(one))
    const text = Buffer.from(`${lines.join('\n')}\n{bad\n`)
    const whole = await captured([text])
    expect(whole.events).toMatchObject([
      event,
      { ...rest, id: expect.stringMatching(/^[0-9a-f]{32}$/) },
      { failure: { code: 'BAD_JSON' }, draft: { id: expect.any(String) } },
    ])
    for (let at = 1; at < text.length; at++) {
      expect(await captured([text.subarray(0, at), text.subarray(at)])).toEqual(whole)
    }
  })

  it('warns where it was cut, and refuses what is none', async () => {
    const warnings: string[] = []
    const { events } = await captured([pcapOf(3).subarray(0, -1)], (text) => warnings.push(text))
    expect(events.length).toBe(2)
    expect(warnings).toEqual([expect.stringMatching(/^truncated capture at byte \d+$/)])
    await expect(captured([Buffer.from('hello')])).rejects.toThrow('unsupported capture format')
    await expect(captured([])).rejects.toThrow('unsupported capture format')
  })
})

describe('a capture on standard input', () => {
  const read = async (stream: Readable) => {
    const { context, logs } = sourceContext()
    const events: (Draft | Reject)[] = []
    let position: unknown
    for await (const chunk of readCaptureStream(stream, { received: 10 }, context)) {
      events.push(...chunk.events)
      position = chunk.position
    }
    return { events, logs, position }
  }

  it.each(FORMS)('is read however it is cut: %s', async (_, make) => {
    const bytes = make(3)
    for (let at = 0; at <= bytes.length; at++) {
      const parts = [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0)
      const { events, position, logs } = await read(Readable.from(parts))
      expect(events.map((event) => ('data' in event ? event.time : 0))).toEqual(
        [0, 1, 2].map((index) => START + index * 0.125),
      )
      expect(ids(events)).toEqual([undefined, undefined, undefined])
      expect(position).toEqual({ received: 13 })
      expect(logs).toEqual([])
    }
  })

  it('that ends in the middle of a packet keeps what came before', async () => {
    const { events, logs } = await read(Readable.from([pcapOf(3).subarray(0, -1)]))
    expect(events.length).toBe(2)
    expect(logs[0]?.message).toMatch(/^truncated capture at byte \d+$/)
  })

  it('that is none is refused', async () => {
    await expect(read(Readable.from([Buffer.from('hello')]))).rejects.toMatchObject({
      code: 'CAPTURE_FORMAT',
    })
  })

  it('hands out a packet before the next one comes, and ends when it is told to', async () => {
    const stream = new PassThrough()
    const { context, stop } = sourceContext()
    const chunks = readCaptureStream(stream, undefined, context)
    stream.write(pcapOf(1))
    expect((await chunks.next()).value).toMatchObject({ position: { received: 1 } })
    const next = chunks.next()
    stop()
    expect(await next).toEqual({ done: true, value: undefined })
  })
})

describe('the configuration', () => {
  it.each([
    { file: 'a', interface: 'eth0' },
    { file: 'a', stdin: true },
    { interface: 'eth0', stdin: true },
  ])('takes one input: %j', (config) => {
    expect(() => compiled(config)).toThrow(/takes one of/)
  })

  it.each([
    { file: '', interface: '' },
    { interface: 'eth0.100' },
    { interface: 'any' },
    { interface: 'br-1234567890ab' },
    { filter: '' },
  ])('takes %j', (config) => {
    expect(compiled(config)).toMatchObject(config)
  })

  it.each([
    { interface: '-w' },
    { interface: '1' },
    { interface: '../lo' },
    { interface: 'a b' },
    { interface: 'sixteencharacter' },
    { interface: 'eth0\n' },
    { tcpdump: '-z' },
    { tcpdump: 'a b' },
    { filter: 'tcp\nudp' },
    { buffer: '1KiB' },
    { buffer: '3GiB' },
    { snaplen: 1 },
  ])('refuses %j', (config) => {
    expect(() => compiled(config)).toThrow()
  })
})
