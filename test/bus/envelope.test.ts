import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultType, readEnvelope } from '../../bus/envelope.ts'

const fallback = { id: 'f'.repeat(32), ts: 5 }
const id = '0123456789abcdef0123456789abcdef'

describe('an envelope from outside', () => {
  it('gets the topic it came in on, version 1 and a proper id (spec/bus.md, check 5)', () => {
    const body = { v: 9, id: 'zzz', topic: 'evil.x', ts: 1.0, type: 't', payload: { x: 1 } }
    expect(readEnvelope(body, 'a.b', fallback)).toEqual({
      envelope: { v: 1, id: fallback.id, topic: 'a.b', type: 't', ts: 1, payload: { x: 1 } },
      coerced: false,
    })
  })

  it('keeps a proper id and a finite time', () => {
    const { envelope } = readEnvelope({ id, ts: 1700000000.25 }, 'a.b', fallback)
    expect(envelope).toEqual({ v: 1, id, topic: 'a.b', type: '', ts: 1700000000.25, payload: {} })
  })

  it.each([
    [{ payload: [1] }, true],
    [{ payload: 'text' }, true],
    [{ payload: 0 }, false],
    [{ payload: null }, false],
    [{}, false],
    [['x'], false],
    [null, false],
    ['soon', false],
  ])('has an object for a payload whatever came: %j', (body, coerced) => {
    const read = readEnvelope(body, 'a.b', fallback)
    expect(read.envelope.payload).toEqual({})
    expect(read.coerced).toBe(coerced)
  })

  it.each([
    [null, ''],
    [undefined, ''],
    [7, '7'],
    [true, 'true'],
    [{ a: 1 }, '{"a":1}'],
  ])('has text for a type whatever came: %j', (type, text) => {
    expect(readEnvelope({ type }, 'a.b', fallback).envelope.type).toBe(text)
  })

  it('never throws and always has the right kinds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        const { envelope } = readEnvelope(body, 'a.b', fallback)
        expect(envelope.id).toMatch(/^[0-9a-f]{32}$/)
        expect(Number.isFinite(envelope.ts)).toBe(true)
        expect(typeof envelope.type).toBe('string')
      }),
    )
  })
})

describe('the type that goes with a topic', () => {
  // spec/bus.md section 3
  it.each([
    ['topology.7.mutation.enqueued', 'enqueued'],
    ['topology.7.status', 'status'],
    ['decky.local:web-01.state', 'state'],
    ['attacker.observed', 'observed'],
    ['attacker.session.ended', 'session.ended'],
    ['attacker.intel.enriched', 'intel.enriched'],
    ['identity.campaign.assigned', 'campaign.assigned'],
    ['campaign.identity.assigned', 'identity.assigned'],
    ['credential.captured', 'captured'],
    ['credential.reuse.detected', 'reuse.detected'],
    ['system.prober.health', 'health'],
    ['lone', 'lone'],
    ['attacker', 'attacker'],
  ])('%s: %s', (topic, type) => expect(defaultType(topic)).toBe(type))
})

describe('a body nested without end', () => {
  const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown
  const fallback = { id: '', ts: 0 }

  it('has no payload and no type', () => {
    const body = { payload: { x: deep(200_000) }, type: deep(200_000) }
    const { envelope, coerced } = readEnvelope(body, 'a.b', fallback)
    expect([envelope.payload, envelope.type, coerced]).toEqual([{}, '', true])
  })

  it('begins at 65 levels', () => {
    expect(readEnvelope({ payload: { x: deep(64) } }, 'a.b', fallback).coerced).toBe(true)
    expect(readEnvelope({ payload: { x: deep(63) } }, 'a.b', fallback).coerced).toBe(false)
  })
})
