import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline } from '../../../engine/compile.ts'
import { pipelineSchema } from '../../../engine/pipeline_schema.ts'

interface Expected {
  /** What a JSON Schema validator makes of the file as an editor sees it. */
  schema: 'accepts' | 'rejects'
  problems: { severity: string; code: string; line: number; column: number }[]
}
interface Expectations {
  /** Codes of what no schema can say. */
  beyond_schema: string[]
  files: Record<string, Expected>
}

const folder = new URL('../../fixtures/broken/', import.meta.url)
const expectations: Expectations = JSON.parse(readFileSync(new URL('broken.json', folder), 'utf8'))
const cases = Object.entries(expectations.files)
const textOf = (name: string) => readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
const env = { WORD: 'abc', NUMBER: '10000' }

describe('a broken pipeline', () => {
  it('has its expectations, all forty and more', () => {
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
    expect(files.map((file) => file.replace('.yaml', '')).sort()).toEqual(
      cases.map(([name]) => name).sort(),
    )
    expect(files.length).toBeGreaterThanOrEqual(40)
  })

  it.each(cases)('%s is told all its problems, each at its place', (name, { problems }) => {
    const compiled = compilePipeline(textOf(name), `${name}.yaml`, { registry, env })
    const found = compiled.problems.map(({ severity, code, line, column }) => {
      return { severity, code, line, column }
    })
    expect(found).toEqual(problems)
    expect(compiled.plan).toBeUndefined()
  })

  const validate = new Ajv({ strict: false, allErrors: true }).compile(pipelineSchema(registry))

  it.each(cases)(
    '%s is judged by the schema as far as a schema can',
    (name, { schema, problems }) => {
      const [document] = [
        parseAllDocuments(textOf(name), { uniqueKeys: false, merge: true }),
      ].flat()
      // What is no YAML never gets to a schema.
      if (problems.some(({ code }) => code === 'YAML_SYNTAX')) return
      expect(validate(document?.toJS() ?? null) ? 'accepts' : 'rejects').toBe(schema)
      const beyond = new Set(expectations.beyond_schema)
      const sayable = problems.filter((one) => one.severity === 'error' && !beyond.has(one.code))
      if (schema === 'rejects') expect(sayable).not.toEqual([])
    },
  )
})
