import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../../engine/event.ts'
import { packEvents, unpackEvents } from '../../../engine/lanes/packed_events.ts'

const event = (data: Event['data'], more: Partial<Event> = {}): Event => ({
  ...{ id: 'a1', topic: 'line', time: 1.5, data },
  ...more,
})

const text = fc.string({ unit: 'grapheme', maxLength: 20 })

describe('packed events', () => {
  it('are the same events when they are unpacked', () => {
    const rows = fc.array(fc.tuple(text, fc.double({ noNaN: true }), text, text), { minLength: 1 })
    fc.assert(
      fc.property(rows, (some) => {
        const events = some.map(([id, time, line, peer]) => event({ line, peer }, { id, time }))
        const packed = packEvents(events)
        expect(packed && unpackEvents(packed)).toEqual(events)
      }),
    )
  })

  it('say a text once that events share', () => {
    const packed = packEvents([event({ peer: 'x'.repeat(100) }), event({ peer: 'x'.repeat(100) })])
    expect(packed?.text.length).toBe(104)
  })

  it.each<[string, Event[]]>([
    ['nothing', []],
    ['another topic', [event({ a: '' }), event({ a: '' }, { topic: 'other' })]],
    ['another key', [event({ a: '' }), event({ b: '' })]],
    ['one key more', [event({ a: '' }), event({ a: '', b: '' })]],
    ['a number', [event({ a: 1 })]],
    ['a text that is no UTF-8', [event({ a: '\ud800' })]],
    ['a prototype', [event(JSON.parse('{"__proto__":"x"}'))]],
  ])('are not made of events with %s', (_, events) => {
    expect(packEvents(events)).toBeUndefined()
  })
})
