/** The JSON Schema of pipeline files, for editors. */
import { parse } from 'yaml'
import { editorSchema, type JsonSchema } from './compile/editor_schema.ts'
import { REFERENCE_PATTERN } from './compile/interpolate.ts'
import { NODE_ID, nodeShape, RESERVED_IDS } from './compile/node_shape.ts'
import { pipelineFileSchema } from './compile/pipeline_shape.ts'
import { asShape } from './compile/shape.ts'
import { type Component, type Registry, SECTIONS, type Section } from './define.ts'

/**
 * Judges a pipeline file as `validate` does, but for what a schema cannot say: how nodes are wired,
 * what CEL means, what variables hold.
 * @returns draft-07, which is what editors' YAML support knows best; the same for the same registry
 */
export function pipelineSchema(registry: Registry): JsonSchema {
  const file = asShape(pipelineFileSchema)
  const { tests, ...head } = file.properties ?? {}
  const closed = editorSchema({ ...file, properties: head }, 'allowed')
  const sections = SECTIONS.map((section) => [
    section,
    sectionSchema(section, head[section]?.description),
  ])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'DECNET pipeline',
    description: 'Sources, operators and sinks, wired by node id.',
    ...closed,
    properties: {
      ...(closed.properties as JsonSchema),
      ...Object.fromEntries(sections),
      // Test data is taken as it stands, so nothing in it is a reference.
      ...(tests === undefined ? {} : { tests: editorSchema(tests, 'literal') }),
    },
    required: ['name', 'description', 'sources', 'sinks'],
    definitions: Object.fromEntries(
      SECTIONS.flatMap((section) => {
        const components = [...registry.values()].filter((one) => one.section === section)
        return [
          [section, nodeSchema(section, components)],
          ...components.map((component) => [
            nameIn(section, component),
            componentSchema(component),
          ]),
        ]
      }),
    ),
  }
}

const nameIn = (section: Section, { type }: Component): string => `${section}.${type}`

function sectionSchema(section: Section, description: string | undefined): JsonSchema {
  return {
    description,
    type: section === 'operators' ? ['object', 'null'] : 'object',
    propertyNames: { pattern: NODE_ID, not: { enum: [...RESERVED_IDS.keys()] } },
    additionalProperties: { $ref: `#/definitions/${section}` },
    ...(section === 'operators' ? {} : { minProperties: 1 }),
  }
}

/** The bare word `null` is YAML for nothing, and the name of a sink. */
const typeIs = (type: string): JsonSchema =>
  type === 'null' ? { enum: ['null', null] } : { const: type }

/** Offers every type; the keys of the one chosen come with `then`. */
function nodeSchema(section: Section, components: readonly Component[]): JsonSchema {
  const types = components.map(({ type, summary }) => ({ ...typeIs(type), description: summary }))
  return {
    type: 'object',
    required: ['type'],
    properties: {
      type: {
        description: `Type of the ${section.slice(0, -1)}.`,
        anyOf: [...types, { type: 'string', pattern: REFERENCE_PATTERN }],
      },
    },
    allOf: components.map((component) => ({
      if: { required: ['type'], properties: { type: typeIs(component.type) } },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own keyword
      then: { $ref: `#/definitions/${nameIn(section, component)}` },
    })),
  }
}

function componentSchema(component: Component): JsonSchema {
  const schema = editorSchema(nodeShape(component), 'allowed')
  const type = { ...typeIs(component.type), description: component.summary }
  return {
    ...schema,
    description: `${component.summary} ${component.promise}`,
    properties: { ...(schema.properties as JsonSchema), type },
    examples: component.examples.map(({ yaml }): unknown => parse(yaml)),
  }
}
