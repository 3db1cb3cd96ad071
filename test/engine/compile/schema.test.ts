import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline } from '../../../engine/compile.ts'
import { pipelineSchema } from '../../../engine/pipeline_schema.ts'
import { standIns } from '../../fixtures/components.ts'

const validatorOf = (known: typeof registry) =>
  new Ajv({ strict: false, allErrors: true }).compile(pipelineSchema(known))

/** A pipeline in which a node of the section, with this body, is wired to what it needs. */
function around(section: 'sources' | 'operators' | 'sinks', body: Record<string, unknown>): object {
  const node =
    section === 'sources' ? body : { ...body, inputs: [section === 'operators' ? 'lines' : 'op'] }
  return {
    name: 'p',
    description: 'One node, wired',
    sources: { lines: section === 'sources' ? node : { type: 'stdin' } },
    operators: {
      op: section === 'operators' ? node : { type: 'filter', inputs: ['lines'], where: 'true' },
    },
    sinks: { out: section === 'sinks' ? node : { type: 'null', inputs: ['op'] } },
  }
}

describe('the schema editors get', () => {
  const validate = validatorOf(registry)

  const shipped = new URL('../../../pipelines/', import.meta.url)
  const files = readdirSync(shipped).filter((file) => file.endsWith('.yaml'))

  it.each(files)('accepts %s, as the compiler does', (file) => {
    const text = readFileSync(new URL(file, shipped), 'utf8')
    const { problems } = compilePipeline(text, file, { registry, env: {} })
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(validate(parse(text, { merge: true })), JSON.stringify(validate.errors)).toBe(true)
  })

  const examples = [...registry.values()].flatMap((component) =>
    component.examples.map(
      (example) => [component.section, component.type, example.title, example.yaml] as const,
    ),
  )
  it.each(examples)('accepts, of %s, %s: %s', (section, _type, _title, yaml) => {
    const file = around(section, parse(yaml))
    expect(validate(file), JSON.stringify(validate.errors)).toBe(true)
    const { problems } = compilePipeline(stringify(file), 'p.yaml', { registry, env: {} })
    // An example alone cannot wire every port it opens.
    const wiring = ['UNUSED_OUTPUT', 'UNKNOWN_PORT']
    expect(
      problems.filter(({ severity, code }) => severity === 'error' && !wiring.includes(code)),
    ).toEqual([])
  })

  it('accepts a reference in place of any scalar, and nowhere else', () => {
    const file = {
      name: 'p',
      description: '${TEXT}',
      sources: {
        a: {
          type: 'wire',
          listen: '${LISTEN}',
          port: '1${PORT}',
          tls: { cert: '${CERT}', client_cert: '${CLIENT}' },
        },
        b: { type: '${TYPE}', any: 'thing' },
        c: {
          type: 'tail',
          path: '${PATH}',
          poll: '${POLL}s',
          max_line: '${SIZE}',
          follow: '${FOLLOW}',
        },
      },
      operators: null,
      sinks: {
        out: {
          type: 'print',
          inputs: ['${A}', { from: '${B}', policy: '${POLICY}', capacity: '${CAPACITY}' }],
        },
      },
      settings: { batch_size: '${N}', checkpoint: { interval: '${T}' } },
      unit: { description: '${TEXT}', user: '${USER}' },
    }
    const accepts = validatorOf(standIns)
    expect(accepts(file), JSON.stringify(accepts.errors)).toBe(true)
    expect(accepts({ ...file, sinks: { out: { type: 'print', inputs: '${ALL}' } } })).toBe(false)
    expect(accepts({ ...file, settings: { batch_size: '$${N}' } })).toBe(false)
    expect(
      accepts({ ...file, tests: [{ name: 'a', send: {}, expect: { a: [{ time: '${T}' }] } }] }),
    ).toBe(false)
  })

  it('gives every type, with its summary, its keys and what they mean', () => {
    const schema = JSON.stringify(pipelineSchema(registry))
    for (const { type, summary, config } of registry.values()) {
      expect(schema).toContain(JSON.stringify(type))
      expect(schema).toContain(JSON.stringify(summary))
      for (const field of Object.values(config.properties)) {
        const { description } = field as { description?: string }
        expect(schema).toContain(JSON.stringify(description))
      }
    }
  })

  it('has no keywords of our own', () => {
    expect(JSON.stringify(pipelineSchema(registry))).not.toContain('x-decnet')
  })
})
