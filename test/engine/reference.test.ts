import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { type Component, defineOperator, defineSink, makeRegistry } from '../../engine/define.ts'
import { cel, duration } from '../../engine/fields.ts'
import { componentText } from '../../engine/reference.ts'
import { componentPage, indexPage, pageName } from '../../engine/reference_page.ts'
import { fieldRows } from '../../engine/schema_text.ts'

const burst = defineOperator({
  type: 'burst',
  summary: 'Finds bursts of a | b, read as `<node>`.',
  promise: 'Exact; the rest goes to <node>.errors.',
  config: Type.Object({
    window: duration({ default: '60s', description: 'Length of the window.' }),
    threshold: Type.Integer({ minimum: 1, description: 'Failures <at least>.' }),
  }),
  input: Type.Object({ attacker_ip: Type.String({ description: 'Source address.' }) }),
  state: Type.Object({ failures: Type.Integer() }),
  examples: [
    {
      title: 'Slow guessing',
      yaml: 'type: burst\nthreshold: 3\n',
      run: { send: [{ data: { attacker_ip: '::1' } }], expect: [] },
    },
  ],
  keyed: () => ({
    key: (event) => event.data.attacker_ip,
    init: () => ({ failures: 0 }),
    step: () => undefined,
  }),
})

const nowhere = defineSink({
  type: 'nowhere',
  summary: 'Keeps nothing.',
  promise: 'None.',
  effect: 'at_most_once',
  config: Type.Object({}),
  examples: [],
  open: () => ({ write: async () => undefined }),
})

describe('the table of a config', () => {
  const typeOf = (field: Parameters<typeof Type.Object>[0][string]) =>
    fieldRows(Type.Object({ field })).at(-1)?.type

  it.each([
    [Type.Integer({ minimum: 1, maximum: 9 }), 'integer, 1 to 9'],
    [Type.Integer({ minimum: 1 }), 'integer, 1 or more'],
    [Type.Number({ maximum: 1 }), 'number, 1 or less'],
    [Type.Array(Type.String()), 'list of text'],
    [Type.Record(Type.String(), Type.Boolean()), 'map of boolean'],
    [Type.Enum(['tcp', 'udp']), '"tcp" | "udp"'],
    [Type.Union([Type.Literal('a'), Type.Null()]), '"a" | null'],
    [Type.Unknown(), 'any'],
    [cel({ description: '', result: 'bool' }), 'CEL, true or false'],
    [duration({ description: '' }), 'duration'],
  ])('names the type of a field', (schema, text) => expect(typeOf(schema)).toBe(text))

  it('goes into objects, lists and maps', () => {
    const file = Type.Object({ path: Type.String() })
    const rows = fieldRows(
      Type.Object({
        tls: Type.Optional(file),
        listen: Type.Array(file),
        routes: Type.Record(Type.String(), file),
      }),
    )
    expect(rows.map(({ name }) => name)).toEqual([
      'tls',
      'tls.path',
      'listen',
      'listen[].path',
      'routes',
      'routes.NAME.path',
    ])
  })

  it('calls a field required only when it has no default', () => {
    const rows = fieldRows(
      Type.Object({
        must: Type.String(),
        may: Type.Optional(Type.String()),
        has: Type.String({ default: 'x' }),
      }),
    )
    expect(rows.map((row) => [row.name, row.required, row.default])).toEqual([
      ['must', true, undefined],
      ['may', false, undefined],
      ['has', false, '"x"'],
    ])
  })
})

describe('the page of a component', () => {
  it('has its promise, its config with what the engine adds, its input and its examples', () => {
    expect(
      componentPage(burst),
    ).toBe(`<!-- Written by \`decnet docs generate\` from the component itself. -->

# \`burst\` (operator)

Finds bursts of a | b, read as \`<node>\`.

- **Promise**: Exact; the rest goes to &lt;node>.errors.
- **State**: one per key, kept and bounded by the engine

## Config

| field | type | default | meaning |
|---|---|---|---|
| \`window\` | \`duration\` | \`"60s"\` | Length of the window. |
| \`threshold\` | \`integer, 1 or more\` | required | Failures &lt;at least>. |
| \`max_keys\` | \`integer, 1 to 100000000\` | \`65536\` | Keys whose state is kept at once; past it the one unused for longest goes. |
| \`ttl\` | \`duration\` |  | Event time after which the state of a key nothing touched goes. |

## Input

Shape of \`event.data\`; anything else leaves by \`<node>.errors\`.

| field | type | meaning |
|---|---|---|
| \`attacker_ip\` | \`text\` | Source address. |

## Examples

### Slow guessing

\`\`\`yaml
type: burst
threshold: 3
\`\`\`

Given

\`\`\`json
{"data":{"attacker_ip":"::1"}}
\`\`\`

it makes nothing.
`)
  })

  it('cannot be broken out of by an example', () => {
    const tricky = { ...burst, examples: [{ title: 'x', yaml: 'a: "```"' }] } as Component
    expect(componentPage(tricky)).toContain('````yaml\na: "```"\n````')
  })
})

it('the index leads to the page of every component, with bars escaped', () => {
  const page = indexPage(makeRegistry([nowhere, burst]))
  expect(page).toContain(
    '| [`burst`](operators.burst.md) | Finds bursts of a \\| b, read as `<node>`. |',
  )
  expect(page).toContain(`| [\`nowhere\`](${pageName(nowhere)}) | Keeps nothing. |`)
  expect(page.indexOf('burst')).toBeLessThan(page.indexOf('nowhere'))
})

it('explains a component in a terminal', () => {
  expect(componentText(nowhere)).toBe(`nowhere (sink)
  Keeps nothing.

Promise
  None.

Effect
  at most once

Config
  nothing to set

Input
  Any event.
`)
  expect(componentText(burst)).toContain('  threshold  integer, 1 or more; required\n')
  expect(componentText(burst)).toContain('  window     duration; default "60s"\n')
})
