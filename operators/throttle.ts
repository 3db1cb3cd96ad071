/** Lets events pass up to a rate, per key: a token bucket on event time. */
import { Type } from 'typebox'
import { cel, defineOperator, duration, EngineError, type Event } from '../engine/index.ts'
import { keyText } from '../protocols/key_text.ts'
import { quote } from '../protocols/quote.ts'

/** Expressions a key may be made of. */
const MAX_PARTS = 16

export const throttle = defineOperator({
  type: 'throttle',
  summary: 'Passes at most `rate` events per `per` of event time for each key, and drops the rest.',
  promise:
    'Exact across restarts for the keys it still holds, by order of arrival; beyond `max_keys` the ' +
    'key longest unseen starts with a full bucket again. What it drops is counted as filtered.',
  config: Type.Object({
    key: Type.Array(
      cel({ result: 'any', description: 'One part of the key, over id, topic, time and data.' }),
      {
        default: [],
        maxItems: MAX_PARTS,
        description: 'What has a bucket of its own; none: one bucket for all events.',
      },
    ),
    rate: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'Events that may pass in `per`, in the long run.',
    }),
    per: duration({ default: '1s', description: 'Event time in which `rate` events may pass.' }),
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Events that may pass at once after a quiet time; default: rate.',
      }),
    ),
  }),
  // Credit is counted in ms times rate: an event costs `per`, and no fraction is ever rounded.
  state: Type.Object({
    credit: Type.Number({ description: 'What is left in the bucket; an event costs `per`.' }),
    at: Type.Number({ description: 'Event time (ms) up to which the bucket has been filled.' }),
  }),
  examples: [
    {
      title: 'Two events per attacker and second, three after a pause',
      yaml: 'type: throttle\nkey: [data.attacker_ip]\nrate: 2\nper: 1s\nburst: 3\nttl: 10m',
      run: {
        send: [
          ...[0, 1, 2, 3].map((time) => ({ time, data: { attacker_ip: 'a' } })),
          { time: 4, data: { attacker_ip: 'b' } },
          { time: 500, data: { attacker_ip: 'a' } },
        ],
        expect: [{ time: 0 }, { time: 1 }, { time: 2 }, { time: 4 }, { time: 500 }],
      },
    },
  ],
  // A bucket that no time fills would pass nothing after its first.
  check: ({ per }) => {
    if (per <= 0) throw new EngineError('RATE', '"per" must be longer than 0s')
  },
  keyed: ({ key, rate, per, burst = rate }, context) => {
    const full = burst * per
    const keyOf = (event: Event) => keyText(key.map((part) => part.evaluate(event)))
    return {
      key: keyOf,
      init: () => ({ credit: full, at: Number.MIN_SAFE_INTEGER }),
      step(state, event: Event, { now }) {
        // Neither a timestamp from the future nor a clock set back may fill or lock a bucket.
        const time = Math.min(event.time, now())
        const passed = time - state.at
        if (passed > 0) state.credit = Math.min(full, state.credit + passed * rate)
        if (passed > 0 || -passed * rate > full) state.at = time
        if (state.credit < per) {
          context.explain?.(
            `the rate of key ${quote(keyOf(event))} is used up; ` +
              `it passes again in ${Math.ceil((per - state.credit) / rate)} ms`,
          )
          return undefined
        }
        state.credit -= per
        context.explain?.(
          `key ${quote(keyOf(event))} has ${Math.floor(state.credit / per)} left of ${burst}`,
        )
        return event
      },
    }
  },
})
