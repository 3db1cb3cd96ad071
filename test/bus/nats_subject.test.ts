import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { natsSettings, withoutSecrets } from '../../bus/nats/settings.ts'
import { filterOf, partitionOf, safeName, subjectOf, topicOf } from '../../bus/nats/subject.ts'
import { isPattern, isTopic, matcher } from '../../bus/topic.ts'

const text = fc.string({ unit: fc.constantFrom(...'abAB01._-*> \t:/\\$=\u00e9\u00a0') })

describe('topics as subjects', () => {
  it('brings every topic back, and only topics, whatever is asked for', () => {
    fc.assert(
      fc.property(text, (topic) => {
        if (!isTopic(topic)) {
          expect(() => subjectOf('decnet', topic)).toThrow(
            expect.objectContaining({ code: 'BUS_TOPIC' }),
          )
          expect(topicOf('decnet', `decnet._.${topic}`)).toBeUndefined()
          return
        }
        const subject = subjectOf('decnet', topic, '3of16')
        expect(subject).not.toMatch(/[\s*>]|\.\.|^\.|\.$/)
        expect(topicOf('decnet', subject)).toBe(topic)
        expect(topicOf('other', subject)).toBeUndefined()
      }),
    )
  })

  it('lets through by its filter what the pattern matches, and nothing else', () => {
    const tokens = fc.array(fc.constantFrom('a', 'b', '*', '>', 'a*'), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(tokens, tokens, (pattern, topic) => {
        const [wanted, published] = [pattern.join('.'), topic.join('.')]
        if (!isPattern(wanted) || !isTopic(published)) return
        const passes = matcher(filterOf('decnet', wanted))(subjectOf('decnet', published))
        expect(passes).toBe(matcher(wanted)(published))
      }),
    )
  })

  it('gives two texts two names, of characters that a name may have', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(safeName(one)).toMatch(/^[A-Za-z0-9_=-]*$/)
        expect(safeName(one) === safeName(other)).toBe(one === other)
      }),
    )
  })

  it.each([
    // server/subject_transform_test.go of nats-server
    ['foo', 10, 3],
    ['test.subject', 5, 0],
  ])('puts %s of %i parts into %i, as the server does', (key, count, part) => {
    expect(partitionOf(key, count)).toBe(part)
  })

  it('spreads keys evenly', () => {
    const parts = new Array<number>(16).fill(0)
    for (let n = 0; n < 16_000; n++) {
      const part = partitionOf(`["198.51.${n >> 8}.${n & 255}"]`, 16)
      parts[part] = (parts[part] ?? 0) + 1
    }
    expect(Math.min(...parts)).toBeGreaterThan(800)
    expect(Math.max(...parts)).toBeLessThan(1200)
  })
})

describe('the settings of NATS', () => {
  it('have defaults for one server on this host', () => {
    expect(natsSettings({})).toEqual({
      servers: ['nats://127.0.0.1:4222'],
      prefix: 'decnet',
      credentials: undefined,
      tls: undefined,
      retention: { maxAge: 604_800_000, maxBytes: 2 ** 30, duplicateWindow: 120_000, replicas: 1 },
    })
  })

  it('read several servers, files and limits', () => {
    const file = import.meta.filename
    const own = readFileSync(file, 'utf8')
    const settings = natsSettings({
      DECNET_NATS_URLS: 'tls://a:4222, nats://user:p%40ss@b:4223',
      DECNET_NATS_PREFIX: 'lab',
      DECNET_NATS_CREDS: file,
      DECNET_NATS_CA: file,
      DECNET_NATS_MAX_AGE_HOURS: '24',
      DECNET_NATS_MAX_BYTES: '1000000',
    })
    expect(settings).toMatchObject({
      servers: ['tls://a:4222', 'nats://user:p%40ss@b:4223'],
      prefix: 'lab',
      credentials: own,
      tls: { ca: own },
      retention: { maxAge: 86_400_000, maxBytes: 1_000_000 },
    })
    expect(settings.servers.map(withoutSecrets)).toEqual(['tls://a:4222', 'nats://b:4223'])
  })

  it.each([
    { DECNET_NATS_URL: 'http://user:hunter2@host' },
    { DECNET_NATS_URL: 'hunter2' },
    { DECNET_NATS_PREFIX: 'a.b' },
    { DECNET_NATS_PREFIX: '' },
    { DECNET_NATS_CREDS: '/nowhere/at/all' },
    { DECNET_NATS_CERT: import.meta.filename },
    { DECNET_NATS_MAX_BYTES: '-1' },
    { DECNET_NATS_REPLICAS: 'three' },
  ])('refuse %j, and repeat no secret', (env) => {
    const read = () => natsSettings(env)
    expect(read).toThrow(expect.objectContaining({ code: 'BUS_CONFIG' }))
    expect(read).not.toThrow(/hunter2/)
  })
})
