/** Sends each event out of the ports whose conditions are true of it. */
import { Type } from 'typebox'
import {
  cel,
  conditionReason,
  defineOperator,
  type Event,
  type Expression,
  holds,
  to,
} from '../engine/index.ts'

const UNMATCHED = 'unmatched'

// `errors` is every node's own port, `unmatched` this operator's.
const PORT = '^(?!(?:errors|unmatched)$)[a-z][a-z0-9_]{0,62}$'

/** Conditions one node may hold; each costs a microsecond per event. */
const MAX_ROUTES = 64

export const route = defineOperator({
  type: 'route',
  summary: 'Splits a stream over named ports, read as `<node>.<port>`, by condition.',
  promise:
    'Stateless; keeps ids and order per port. An event a condition cannot be worked out for goes ' +
    'to <node>.errors alone.',
  config: Type.Object({
    routes: Type.Record(
      Type.String({ pattern: PORT }),
      cel({ result: 'bool', description: 'Condition for this port over id, topic, time, data.' }),
      {
        minProperties: 1,
        maxProperties: MAX_ROUTES,
        additionalProperties: false,
        description: 'Port name to condition, tried in the order written.',
      },
    ),
    mode: Type.Enum(['first', 'all'], {
      default: 'first',
      description: 'first: only the first port that fits; all: every port that fits.',
    }),
    otherwise: Type.Enum([UNMATCHED, 'drop'], {
      default: UNMATCHED,
      description:
        'Where an event goes that fits no route: out of the port `unmatched`, or nowhere.',
    }),
  }),
  examples: [
    {
      title: 'Logins apart from commands',
      yaml:
        'type: route\nroutes:\n  logins: data.event_type == "auth_attempt"\n' +
        '  commands: data.event_type == "command"',
      run: {
        send: [{ data: { event_type: 'command' } }, { data: { event_type: 'connect' } }],
        expect: [{ data: { event_type: 'command' } }, { data: { event_type: 'connect' } }],
      },
    },
    {
      title: 'Two views of one stream',
      yaml:
        'type: route\nmode: all\notherwise: drop\nroutes:\n  ssh: data.service == "ssh"\n' +
        '  outside: \'!data.attacker_ip.startsWith("192.0.2.")\'',
    },
  ],
  outputs: ({ routes, otherwise }) => [
    ...Object.keys(routes),
    ...(otherwise === UNMATCHED ? [UNMATCHED] : []),
  ],
  pure: true,
  each: ({ routes, mode, otherwise }, context) => {
    const ports = Object.entries(routes)
    return (event) => {
      if (mode === 'first') {
        const fitting = ports.find(([, condition]) => holds(condition, event))
        if (fitting) {
          context.explain?.(`${fitting[0]}: ${conditionReason(fitting[1], event)}`)
          return to(fitting[0], event)
        }
      } else {
        const fitting = ports.filter(([, condition]) => holds(condition, event))
        if (fitting.length > 0) return fitting.map(([port]) => to(port, event))
      }
      context.explain?.(noRoute(ports, event))
      return otherwise === UNMATCHED ? to(UNMATCHED, event) : undefined
    }
  },
})

function noRoute(ports: readonly (readonly [string, Expression])[], event: Event): string {
  const conditions = ports.map(
    ([port, condition]) => `${port}: ${conditionReason(condition, event)}`,
  )
  return `fits no route: ${conditions.join('; ')}`
}
