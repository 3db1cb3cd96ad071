/** Lets through the events a condition is true of. */
import { Type } from 'typebox'
import { cel, conditionReason, defineOperator, holds } from '../engine/index.ts'

export const filter = defineOperator({
  type: 'filter',
  summary: 'Passes on the events for which `where` is true; the others end here.',
  promise: 'Stateless; an event the condition cannot be worked out for goes to <node>.errors.',
  config: Type.Object({
    where: cel({
      result: 'bool',
      description:
        'Condition over id, topic, time (ms) and data; a missing key is an error, so ask ' +
        'has(data.x) first or write data.?x.orValue(…).',
    }),
  }),
  examples: [
    {
      title: 'Logins only',
      yaml: 'type: filter\nwhere: data.event_type == "auth_attempt"',
      run: {
        send: [{ data: { event_type: 'auth_attempt' } }, { data: { event_type: 'connect' } }],
        expect: [{ data: { event_type: 'auth_attempt' } }],
      },
    },
    {
      title: 'All but some services',
      yaml: 'type: filter\nwhere: \'!(data.service in ["sshd", "cron"])\'',
      run: {
        send: [{ data: { service: 'cron' } }, { data: { service: 'ssh' } }],
        expect: [{ data: { service: 'ssh' } }],
      },
    },
  ],
  pure: true,
  each:
    ({ where }, context) =>
    (event) => {
      if (holds(where, event)) return event
      context.explain?.(`where is false: ${conditionReason(where, event)}`)
      return undefined
    },
})
