/** Captures real packets with the real tcpdump, and with libpcap where the package is built. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { registry } from '../../../cli/registry.ts'
import { compileNode } from '../../../engine/compile.ts'
import { findComponent } from '../../../engine/define.ts'
import { packetOf } from '../../../protocols/packet/packet_data.ts'
import { loadLibpcap } from '../../../sources/pcap/libpcap.ts'
import { TcpdumpCapture } from '../../../sources/pcap/tcpdump_capture.ts'
import { pcap } from '../../../sources/pcap.ts'
import { type Cable, cable, canCapture } from '../../services/tcpdump.ts'
import { sourceContext, startSource, until } from '../source_run.ts'

const present = canCapture()
const component = findComponent(registry, 'sources', 'pcap') ?? pcap
const started: ReturnType<typeof startSource>[] = []
const { context } = sourceContext()
const options = { filter: '', snaplen: 65_535, buffer: 2 ** 20, immediate: true, promiscuous: true }
const libpcap = await loadLibpcap(options, context)
if (typeof libpcap === 'string') {
  process.stderr.write(`tests of the libpcap driver are skipped: ${libpcap}\n`)
}
const drivers = typeof libpcap === 'string' ? ['tcpdump'] : ['tcpdump', 'libpcap']

function start(config: object) {
  const run = startSource(pcap, compileNode(component, { retry: '20ms', ...config }))
  started.push(run)
  return run
}

const messages = ({ logs }: ReturnType<typeof startSource>) => logs.map(({ message }) => message)

describe.skipIf(!present).each(drivers)('live capture by %s', (driver) => {
  let wire: Cable
  let folder = ''
  beforeAll(() => {
    wire = cable(driver === 'tcpdump' ? 78 : 79)
    folder = mkdtempSync(join(tmpdir(), 'decnet-live-'))
  })
  afterEach(async () => {
    await Promise.all(started.splice(0).map((run) => run.stop()))
  })
  afterAll(() => {
    wire?.close()
    rmSync(folder, { recursive: true })
  })

  const live = (more: object = {}) =>
    start({ interface: wire.name, filter: 'udp port 443', driver, ...more }).flow()

  /** Sends until something comes: only then it surely listens. */
  async function listening(run: ReturnType<typeof startSource>): Promise<void> {
    const before = run.events.length
    for (let tries = 0; run.events.length === before; tries++) {
      if (tries > 200) throw new Error(`nothing was captured: ${JSON.stringify(run.logs)}`)
      await wire.send(1)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it('gives each packet once, at the time it was captured', async () => {
    const run = live()
    const before = Date.now()
    await listening(run)
    const first = run.events.length
    await wire.send(1000, 333)
    const large = () => run.events.filter((e) => 'data' in e && e.data.wire_length === 375)
    await until(() => large().length >= 1000)
    expect(large().length).toBe(1000)
    expect(run.events.length).toBeGreaterThanOrEqual(1000 + first)
    const [event] = large()
    if (!event || 'failure' in event) throw new Error('no event')
    expect(event.topic).toBe('pcap.packet')
    expect(event.id).toBeUndefined()
    expect(Math.abs(event.time - before)).toBeLessThan(30_000)
    expect(packetOf(event.data, event.time)).toMatchObject({ dstPort: 443 })
    expect(run.position).toEqual({ received: run.events.length })
    expect(messages(run)).toContain('capturing')
  })

  it('stops within a second on an interface where nothing passes', async () => {
    const run = live({ filter: 'tcp port 1' })
    await until(() => messages(run).includes('capturing'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const asked = performance.now()
    await run.stop()
    expect(performance.now() - asked).toBeLessThan(1000)
    expect(run.counts.capture_ended).toBeUndefined()
  })

  it('waits for an interface, and once more when it has gone', async () => {
    wire.remove()
    const run = live()
    const gone = 'the interface is not there or not up; waiting for it'
    await until(() => messages(run).includes(gone))
    await new Promise((resolve) => setTimeout(resolve, 200))
    wire.add()
    await listening(run)
    wire.remove()
    await until(() => messages(run).filter((message) => message === gone).length === 2)
    wire.add()
    await listening(run)
    const changes = messages(run).filter((message) => [gone, 'capturing'].includes(message))
    expect(changes).toEqual([gone, 'capturing', gone, 'capturing'])
  })

  it('ends for good where the filter cannot be read', async () => {
    const run = start({ interface: wire.name, filter: 'tcp orr', driver })
    await expect(run.pull()).rejects.toMatchObject({
      code: 'CAPTURE_FILTER',
      message: expect.stringMatching(/refuses the filter "tcp orr": /),
    })
  })

  it('takes no filter for an option', async () => {
    const written = join(folder, 'written')
    const run = start({ interface: wire.name, filter: `-w ${written}`, driver })
    await expect(run.pull()).rejects.toMatchObject({ code: 'CAPTURE_FILTER' })
  })

  it('finds the parent of the deckies in the state file, before the helper links', async () => {
    const state_file = join(folder, 'decnet-state.json')
    const run = start({ filter: 'udp port 443', driver, state_file }).flow()
    const nothing = 'there is no interface to capture on; waiting for one'
    await until(() => messages(run).includes(nothing))
    writeFileSync(state_file, '{ not JSON')
    await until(() => messages(run).includes('cannot read the state file'))
    writeFileSync(state_file, JSON.stringify({ config: { interface: wire.name } }))
    await listening(run)
    expect(run.logs.filter(({ message }) => message === 'capturing')).toEqual([
      { fields: { interface: wire.name, because: 'parent of the deckies' }, message: 'capturing' },
    ])
    expect(messages(run).filter((message) => message === nothing).length).toBe(1)
  })
})

describe.skipIf(!present)('tcpdump', () => {
  it('waits for a pipeline that does not read; what the kernel drops meanwhile is counted', async () => {
    const wire = cable(80)
    try {
      const config = { interface: wire.name, filter: 'udp port 443', buffer: '128KiB' }
      const run = start(config)
      let isPulled = false
      void run.pull().then(() => {
        isPulled = true
      })
      for (let tries = 0; !isPulled && tries < 200; tries++) {
        await wire.send(1)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await wire.send(20_000, 1400)
      const flowing = run.flow()
      await run.stop()
      await flowing.done
      // What fits in the pipe and in two buffers is all that is held.
      expect(run.events.length).toBeLessThan(1000)
      expect(run.counts.kernel_dropped).toBeGreaterThan(18_000)
    } finally {
      wire.close()
    }
  })

  it('is started again after a pause when it dies', async () => {
    const fake = join(mkdtempSync(join(tmpdir(), 'decnet-fake-')), 'tcpdump')
    const script = '#!/bin/sh\n[ "$1" = -d ] && exit 0\necho "fake: I \\033 die" >&2\nexit 3\n'
    writeFileSync(fake, script, { mode: 0o755 })
    const run = start({ interface: 'lo', tcpdump: fake }).flow()
    await until(() => (run.counts.capture_ended ?? 0) >= 2)
    const ends = run.logs.filter(({ message }) => message.startsWith('the capture ended'))
    expect(ends.map(({ fields }) => fields.again_in_ms)).toEqual([1000, 2000])
    expect(String(ends[0]?.fields.reason)).toMatch(/^"fake: I .*die"$/)
    await run.stop()
  })

  it('is asked for its counters from time to time', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'decnet-fake-')), 'tcpdump')
    // Node and a real capture's head, so that the handler is there before the first byte.
    const script = `#!/usr/bin/env node
let total = 0
process.on('SIGUSR1', () => {
  total += 7
  process.stderr.write('tcpdump: 9 packets captured, 9 packets received by filter, ' + total + ' packets dropped by kernel\\n')
})
process.stdout.write(Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'))
setInterval(() => {}, 1000)
`
    writeFileSync(path, script, { mode: 0o755 })
    const { context, counts } = sourceContext()
    const env = { PATH: process.env.PATH ?? '' }
    const run = { path, words: [], env, interface: 'lo', countersEvery: 20 }
    const capture = new TcpdumpCapture(run, context)
    const reading = (async () => {
      for await (const _ of capture.blocks()) throw new Error('there are no packets')
    })()
    await until(() => (counts.kernel_dropped ?? 0) >= 21)
    expect((counts.kernel_dropped ?? 0) % 7).toBe(0)
    capture.stop()
    await reading
    expect(capture.reason).toBe('SIGTERM')
  })

  it('is killed where it does not end', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'decnet-fake-')), 'tcpdump')
    const script = "#!/bin/sh\ntrap '' TERM\necho deaf >&2\nwhile :; do sleep 0.05; done\n"
    writeFileSync(path, script, { mode: 0o755 })
    const { context, logs } = sourceContext()
    const env = { PATH: process.env.PATH ?? '' }
    const capture = new TcpdumpCapture({ path, words: [], env, interface: 'lo' }, context)
    const reading = (async () => {
      for await (const _ of capture.blocks()) throw new Error('there are no packets')
    })()
    await until(() => logs.length > 0)
    const asked = performance.now()
    capture.stop()
    await reading
    expect(performance.now() - asked).toBeLessThan(1000)
    expect(logs).toMatchObject([{ fields: { tcpdump: '"deaf"' } }])
  })
})

describe('the driver', () => {
  it('that is not there is named, with what to install', async () => {
    const run = start({ interface: 'lo', driver: 'tcpdump', tcpdump: '/no/such/tcpdump' })
    await expect(run.pull()).rejects.toMatchObject({
      code: 'CAPTURE_DRIVER',
      message: expect.stringContaining('apt install tcpdump'),
    })
  })
})
