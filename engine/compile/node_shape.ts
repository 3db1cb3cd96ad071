/** The keys of one node: its component's own, and those the engine adds for its section. */
import { Type } from 'typebox'
import type { AnyOperator, Component } from '../define.ts'
import { duration } from '../fields.ts'
import { asShape, type Shape } from './shape.ts'

/** Events an edge with a drop policy holds: about two batches of the default size. */
export const DEFAULT_CAPACITY = 1000
/** Keys of keyed state unless the pipeline says otherwise; style.md's example pipeline has it too. */
const DEFAULT_MAX_KEYS = 65_536

export const NODE_ID = '^[a-z][a-z0-9_]{0,62}$'
/** Ids that mean something already, wherever a node is named, and what. */
export const RESERVED_IDS: ReadonlyMap<string, string> = new Map([
  ['errors', "every node's error port"],
  ['dead_letters', "the engine's own sink for what no node reads"],
])

const reference = Type.String({
  minLength: 1,
  description:
    'A node, `node`; one of its named outputs, `node.port`; or its errors, `node.errors`.',
})

/** `inputs:` of an operator or a sink. */
export const inputsSchema = Type.Array(
  Type.Union([
    reference,
    Type.Object({
      from: reference,
      policy: Type.Enum(['block', 'drop_oldest', 'drop_newest'], {
        default: 'block',
        description: 'What happens when this node cannot keep up, live; drops are counted.',
      }),
      capacity: Type.Integer({
        default: DEFAULT_CAPACITY,
        minimum: 1,
        maximum: 1_000_000,
        description: 'Events that wait at this edge before a drop policy drops.',
      }),
    }),
  ]),
  { minItems: 1, maxItems: 100, description: 'Nodes whose events this node reads.' },
)

const keyedFields = {
  max_keys: Type.Integer({
    default: DEFAULT_MAX_KEYS,
    minimum: 1,
    maximum: 100_000_000,
    description: 'Keys whose state is kept at once; past it the one unused for longest goes.',
  }),
  ttl: Type.Optional(
    duration({ description: 'Event time after which the state of a key nothing touched goes.' }),
  ),
}

const journal = Type.Optional(
  Type.Boolean({
    description:
      'Whether what it reads is written to the journal first, so that a crash loses nothing of it.',
  }),
)

/** `wake:` of a source that looks for news. No data goes that way. */
const wakeSchema = Type.Optional(
  Type.Array(
    Type.String({
      minLength: 1,
      description: 'A node, `node`, one of its outputs, `node.port`, or its errors, `node.errors`.',
    }),
    {
      minItems: 1,
      maxItems: 16,
      description:
        'Nodes whose every event makes this source look at once; they may come after it. Each is ' +
        'taken note of as it leaves its node, which may be before a sink has stored it.',
    },
  ),
)

export const isKeyed = (component: Component): component is AnyOperator =>
  component.section === 'operators' && component.keyed !== undefined

export const isAsking = (component: Component): component is AnyOperator =>
  component.section === 'operators' && component.enrich !== undefined

const shapes = new WeakMap<Component, Shape>()

/**
 * Shape of a node of this component, `type` and `inputs` included.
 * @throws {Error} where the component's config has a key the engine keeps for itself
 */
export function nodeShape(component: Component): Shape {
  const known = shapes.get(component)
  if (known !== undefined) return known
  const config = asShape(component.config)
  const added = {
    type: { const: component.type, description: component.summary },
    ...(component.section === 'sources'
      ? { journal: asShape(journal), ...(component.wakes && { wake: asShape(wakeSchema) }) }
      : { inputs: asShape(inputsSchema) }),
    ...(isKeyed(component) ? { max_keys: keyedFields.max_keys, ttl: keyedFields.ttl } : {}),
  }
  for (const key of Object.keys(added)) {
    if (Object.hasOwn(config.properties ?? {}, key)) {
      throw new Error(`${component.type} may not have a config key ${key}: it is the engine's`)
    }
  }
  const { type, inputs, ...keyed } = added as Record<string, Shape>
  const shape: Shape = {
    type: 'object',
    description: component.summary,
    properties: {
      ...(type === undefined ? {} : { type }),
      ...(inputs === undefined ? {} : { inputs }),
      ...config.properties,
      ...keyed,
    },
    required: ['type', ...(inputs === undefined ? [] : ['inputs']), ...(config.required ?? [])],
  }
  shapes.set(component, shape)
  return shape
}

/** What a node's decoded keys come apart into. */
export interface NodeConfig {
  readonly config: Record<string, unknown>
  readonly keyed: { readonly maxKeys: number; readonly ttl: number | undefined } | undefined
  readonly journal?: boolean
}

/** Takes the engine's keys out of a node's decoded ones. */
export function splitConfig(component: Component, values: Record<string, unknown>): NodeConfig {
  const { type: _type, inputs: _inputs, ...rest } = values
  if (component.section === 'sources') {
    const { journal, wake: _wake, ...config } = rest
    return { config, keyed: undefined, journal: journal === true }
  }
  if (!isKeyed(component)) return { config: rest, keyed: undefined }
  const { max_keys, ttl, ...config } = rest
  return { config, keyed: { maxKeys: max_keys as number, ttl: ttl as number | undefined } }
}
