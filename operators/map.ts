/** Rewrites the data of events, field by field. */
import { Type } from 'typebox'
import { TOPIC_PATTERN } from '../bus/topic.ts'
import {
  cel,
  conditionReason,
  type Data,
  defineOperator,
  EngineError,
  type Event,
  type Expression,
} from '../engine/index.ts'

// A path is relative to `data`; saying so again would make a `data.data`. No name begins with two
// underscores: an assignment to `__proto__` is none.
const NAME = '_?[A-Za-z][A-Za-z0-9_-]{0,63}'
const PATH = `^(?!data\\.)${NAME}(?:\\.${NAME}){0,7}$`

/** Fields one node may set or remove; each costs a microsecond per event. */
const MAX_FIELDS = 64

type Path = readonly string[]

export const map = defineOperator({
  type: 'map',
  summary: 'Sets and removes fields of `data`, and may give events another topic.',
  promise:
    'Stateless; keeps id and time. An expression that fails sends the event to <node>.errors.',
  config: Type.Object({
    set: Type.Record(
      Type.String({ pattern: PATH }),
      cel({ result: 'any', description: 'New value, over id, topic, time and data as they came.' }),
      {
        default: {},
        maxProperties: MAX_FIELDS,
        additionalProperties: false,
        description:
          'Field to expression. The field is a path below `data`, e.g. `user` or `fields.user`; ' +
          'objects on the way are made. All expressions see the event as it came.',
      },
    ),
    remove: Type.Array(Type.String({ pattern: PATH }), {
      default: [],
      maxItems: MAX_FIELDS,
      description: 'Paths below `data` to leave out, before anything is set; absent ones are fine.',
    }),
    topic: Type.Optional(
      Type.String({ pattern: TOPIC_PATTERN, description: 'New topic; a constant.' }),
    ),
  }),
  examples: [
    {
      title: 'Rename a field and add one',
      yaml:
        'type: map\nset:\n  user: data.username\n  target: data.decky + "/" + data.service\n' +
        'remove: [username]',
      run: {
        send: [{ data: { username: 'root', decky: 'web-01', service: 'ssh' } }],
        expect: [{ data: { user: 'root', target: 'web-01/ssh' } }],
      },
    },
    { title: 'A new topic only', yaml: 'type: map\ntopic: attacker.observed' },
  ],
  pure: true,
  each({ set, remove, topic }, context) {
    const removals = remove.map((path) => path.split('.'))
    const settings = Object.entries(set).map(([name, expression]) => ({
      name,
      path: name.split('.'),
      expression,
    }))
    const evaluate = (name: string, expression: Expression, event: Event): unknown => {
      const why = (what: string) =>
        context.explain?.(`${name} ${what}: ${conditionReason(expression, event)}`)
      try {
        const value = expression.evaluate(event)
        if (value === null) why('is null')
        return value
      } catch (error) {
        why('has no value')
        throw error
      }
    }
    return (event) => {
      let { data } = event
      for (const path of removals) {
        const before = data
        data = without(data, path)
        if (data === before) context.explain?.(`${path.join('.')} is not there to be removed`)
      }
      for (const { name, path, expression } of settings) {
        data = withValue(data, path, evaluate(name, expression, event))
      }
      return { id: event.id, topic: topic ?? event.topic, time: event.time, data }
    }
  },
})

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Events are shared between branches, so every object on the way is copied. */
function withValue(data: Data, [name = '', ...rest]: Path, value: unknown): Data {
  if (rest.length === 0) return { ...data, [name]: value }
  const inner = Object.hasOwn(data, name) ? data[name] : {}
  if (!isObject(inner)) {
    throw new EngineError('MAP_PATH', `"${name}" holds a value, so nothing can be set below it`)
  }
  return { ...data, [name]: withValue(inner, rest, value) }
}

function without(data: Data, [name = '', ...rest]: Path): Data {
  if (!Object.hasOwn(data, name)) return data
  if (rest.length === 0) {
    const { [name]: _, ...others } = data
    return others
  }
  const inner = data[name]
  if (!isObject(inner)) return data
  const left = without(inner, rest)
  return left === inner ? data : { ...data, [name]: left }
}
