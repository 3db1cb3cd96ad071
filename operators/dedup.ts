/** Drops repeats within a window of event time; with `when`, a rate limit for some events. */
import { Type } from 'typebox'
import { cel, defineOperator, duration, type Event, holds } from '../engine/index.ts'
import { keyText } from '../protocols/key_text.ts'
import { quote } from '../protocols/quote.ts'

/** Before any time a Date can tell; state is JSON, which has no infinity. */
const BEFORE_ALL = -8.64e15

/** Expressions a key may be made of. */
const MAX_PARTS = 16

export const dedup = defineOperator({
  type: 'dedup',
  summary: 'Passes the first event of a key and drops its repeats for `window` of event time.',
  promise:
    'Exact across restarts for the keys it still holds; beyond `max_keys` the key longest unseen ' +
    'is forgotten, so a repeat may pass, and nothing is dropped that is no repeat.',
  config: Type.Object({
    key: Type.Array(
      cel({ result: 'any', description: 'One part of the key, over id, topic, time and data.' }),
      { minItems: 1, maxItems: MAX_PARTS, description: 'What makes two events repeats.' },
    ),
    window: duration({
      description:
        'How long after the event that passed its repeats are dropped; they do not prolong it. ' +
        '0s: nothing is dropped.',
    }),
    when: Type.Optional(
      cel({
        result: 'bool',
        description: 'Only events this is true of are limited; default: all.',
      }),
    ),
  }),
  state: Type.Object({
    until: Type.Number({ description: 'Event time (ms) at which the window of this key ends.' }),
  }),
  examples: [
    {
      title: 'One connect or disconnect per attacker, decky and second',
      yaml:
        'type: dedup\nkey: [data.attacker_ip, data.decky, data.event_type]\nwindow: 1s\n' +
        'when: data.event_type in ["connect", "disconnect"]\nmax_keys: 10000\nttl: 60s',
      run: {
        send: [
          { time: 0, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
          { time: 400, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
          { time: 500, data: { attacker_ip: 'a', decky: 'd', event_type: 'command' } },
          { time: 1000, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
        ],
        expect: [{ time: 0 }, { time: 500 }, { time: 1000 }],
      },
    },
  ],
  keyed: ({ key, window, when }, context) => {
    const keyOf = (event: Event) => keyText(key.map((part) => part.evaluate(event)))
    return {
      key(event) {
        if (window === 0 || (when && !holds(when, event))) return undefined
        return keyOf(event)
      },
      init: () => ({ until: BEFORE_ALL }),
      step(state, event: Event) {
        // Less than a window apart on either side: an event that comes late is a repeat too. One
        // that is a window or more behind starts anew, so that a clock set back is limited at once.
        if (event.time < state.until && event.time > state.until - 2 * window) {
          const more = state.until - event.time
          context.explain?.(
            `a repeat of key ${quote(keyOf(event))}, which passes again in ${more} ms`,
          )
          return undefined
        }
        state.until = event.time + window
        return event
      },
    }
  },
})
