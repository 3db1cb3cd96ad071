import { describe, expect, it } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import type { Context, Event } from '../../engine/index.ts'
import { bus as busSink } from '../../sinks/bus.ts'

function contextOf(bus: Bus) {
  const counted: string[] = []
  const warned: object[] = []
  const context = {
    pipeline: 'ingest',
    use: async () => bus,
    count: (reason: string) => counted.push(reason),
    log: { warn: (fields: object) => warned.push(fields) },
  } as unknown as Context
  return { context, counted, warned }
}

const event = (data: Record<string, unknown>): Event => ({
  id: 'ab'.repeat(16),
  topic: 'system.log',
  time: 1_772_355_601_123.456,
  data,
})

async function published(config: Record<string, unknown>, ...events: Event[]) {
  const bus = memoryBus()
  const reader = await (await bus.connect('reader')).subscribe(['>'])
  const writer = await busSink.open(config, contextOf(bus).context)
  const refusals = await writer.write(events)
  await bus.close()
  return { messages: (await reader.take(100)) ?? [], refusals }
}

const credential = {
  secret_sha256: 'f5',
  secret_kind: 'plaintext',
  secret_b64: 'aHVudGVyMg==',
  secret_printable: 'hunter2',
  attacker_ip: '198.51.100.7',
  decky: 'web-01',
  service: 'ssh',
  principal: 'root',
  fields: { username: 'root', secret_b64: 'aHVudGVyMg==', secret_printable: 'hunter2' },
}

describe('the bus sink', () => {
  it('announces a credential by the five fields of the sheet, never by the secret', async () => {
    const { messages } = await published({ topic: 'credential.captured' }, event(credential))
    expect(messages).toEqual([
      {
        v: 1,
        id: 'ab'.repeat(16),
        topic: 'credential.captured',
        type: 'captured',
        ts: 1_772_355_601.123456,
        payload: {
          secret_sha256: 'f5',
          secret_kind: 'plaintext',
          attacker_ip: '198.51.100.7',
          decky: 'web-01',
          service: 'ssh',
        },
      },
    ])
  })

  it('announces a log line with its event type, without fields and raw line', async () => {
    const record = {
      timestamp: '2026-03-01 09:00:01',
      decky: 'web-01',
      service: 'ssh',
      event_type: 'auth_attempt',
      attacker_ip: '198.51.100.7',
      fields: { secret_b64: 'x' },
      msg: '',
      raw_line: '<134>1 …',
    }
    const { messages } = await published({ topic: 'system.log' }, event(record))
    const { fields, msg, raw_line, ...payload } = record
    expect(messages).toMatchObject([{ type: 'auth_attempt' }])
    expect(messages[0]?.payload).toEqual(payload)
    expect([fields, msg, raw_line].every((left) => left !== undefined)).toBe(true)
  })

  it('keeps secrets back on any topic, at any depth, named or not', async () => {
    const nested = {
      list: [{ secret_printable: 'hunter2', kept: 1 }],
      ...credential,
      raw_line: 'x',
    }
    for (const config of [
      { topic: 'a.b' },
      { topic: 'a.b', fields: ['fields', 'list', 'secret_sha256'] },
    ]) {
      const { messages } = await published(config, event(nested))
      expect(messages).toHaveLength(1)
      expect(JSON.stringify(messages)).not.toMatch(/hunter2|aHVudGVyMg|raw_line/)
      expect(messages[0]?.payload).toMatchObject({
        list: [{ kept: 1 }],
        fields: { username: 'root' },
      })
    }
  })

  it('publishes the chosen fields under the chosen type', async () => {
    const config = { topic: 'a.b', message_type: 'kind', fields: ['decky', 'absent'] }
    const { messages } = await published(config, event(credential))
    expect(messages).toMatchObject([{ topic: 'a.b', type: 'kind' }])
    expect(messages[0]?.payload).toEqual({ decky: 'web-01' })
  })

  it('keeps the order of a batch', async () => {
    const events = [1, 2, 3].map((n) => event({ n }))
    const { messages } = await published({ topic: 'a.b' }, ...events)
    expect(messages.map(({ payload }) => payload.n)).toEqual([1, 2, 3])
  })

  it('publishes each event on its own topic of a list, in order, and hands back any other', async () => {
    const of = (topic: string, at: number) => ({ ...event({ at }), topic })
    const events = [
      of('identity.unmerged', 1),
      of('identity.observation.linked', 2),
      of('evil.topic', 3),
      of('identity.unmerged', 4),
    ]
    const topic = ['identity.observation.linked', 'identity.unmerged']
    const { messages, refusals } = await published({ topic }, ...events)
    expect(messages.map(({ topic: name, type, payload }) => [name, type, payload.at])).toEqual([
      ['identity.unmerged', 'unmerged', 1],
      ['identity.observation.linked', 'observation.linked', 2],
      ['identity.unmerged', 'unmerged', 4],
    ])
    expect(refusals).toMatchObject([{ event: { data: { at: 3 } }, failure: { code: 'BUS_TOPIC' } }])
  })

  it('hands back a message that is too large and publishes the others', async () => {
    const large = event({ text: 'x'.repeat(2 ** 20) })
    const { messages, refusals } = await published({ topic: 'a.b' }, event({ n: 1 }), large)
    expect(messages.map(({ payload }) => payload)).toEqual([{ n: 1 }])
    expect(refusals).toMatchObject([{ failure: { code: 'BUS_TOO_LARGE' } }])
  })

  it('goes on without a bus that was closed: counted each time, said once', async () => {
    const bus = memoryBus()
    const { context, counted, warned } = contextOf(bus)
    const writer = await busSink.open({ topic: 'a.b' }, context)
    await bus.close()
    expect(await writer.write([event({}), event({})])).toEqual([])
    expect(counted).toEqual(['not_published', 'not_published'])
    expect(warned).toEqual([{ topic: 'a.b', code: 'BUS_CLOSED' }])
  })

  describe('with {decky} in its topic', () => {
    const config = { topic: 'decky.{decky}.traffic', type_from_topic: true }
    const seen = (decky: unknown, topic = 'sniffer.tcp_syn_fingerprint') => ({
      ...event({ decky, src_ip: '203.0.113.7' }),
      topic,
    })

    it('publishes each event at its decky, with the type from its own topic', async () => {
      const { messages } = await published(
        config,
        seen('decky-a'),
        seen('web_02', 'sniffer.ssh_client_banner'),
      )
      expect(messages.map(({ topic, type }) => [topic, type])).toEqual([
        ['decky.decky-a.traffic', 'tcp_syn_fingerprint'],
        ['decky.web_02.traffic', 'ssh_client_banner'],
      ])
      expect(messages[0]?.payload).toEqual({ decky: 'decky-a', src_ip: '203.0.113.7' })
    })

    it('publishes nothing of a decky whose name cannot be in a topic: counted, said once each', async () => {
      const bus = memoryBus()
      const reader = await (await bus.connect('reader')).subscribe(['>'])
      const { context, counted, warned } = contextOf(bus)
      const writer = await busSink.open(config, context)
      const bad = ['', 'a.b', '*', '>', 'a b', 'a\n', undefined, 7, { x: 1 }, 'a.b']
      expect(await writer.write([...bad.map((decky) => seen(decky)), seen('good')])).toEqual([])
      await bus.close()
      const messages = (await reader.take(100)) ?? []
      expect(messages.map(({ topic }) => topic)).toEqual(['decky.good.traffic'])
      expect(counted).toEqual(Array(bad.length).fill('no_topic'))
      expect(warned).toHaveLength(bad.length - 1)
    })

    it('says so of 64 names at most', async () => {
      const bus = memoryBus()
      const { context, counted, warned } = contextOf(bus)
      const writer = await busSink.open(config, context)
      await writer.write(Array.from({ length: 1000 }, (_, n) => seen(`${n}.x`)))
      await bus.close()
      expect([counted.length, warned.length]).toEqual([1000, 64])
    })

    it('takes dollar signs in a name for what they are', async () => {
      const { messages } = await published(config, seen("$&$'"))
      expect(messages.map(({ topic }) => topic)).toEqual(["decky.$&$'.traffic"])
    })
  })
})
