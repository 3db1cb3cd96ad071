import { describe, expect, it } from 'vitest'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline } from '../../../engine/compile.ts'

const compiled = (nodes: string, settings = 'threads: 4') =>
  compilePipeline(
    `name: p\ndescription: A test\nsources:\n  lines: { type: syslog, listen: unix:/x, journal: true }\n` +
      `${nodes}\nsettings: { ${settings} }\n`,
    'p.yaml',
    { registry, env: {} },
  ).problems.map(({ code, line, column, message }) => `${code} ${line}:${column} ${message}`)

const parsed = 'operators:\n  parsed: { type: parse_syslog, inputs: [lines] }\n'
const file = 'sinks:\n  file: { type: ndjson_file, inputs: [parsed], path: /x }'

describe('threads that were asked for', () => {
  it('are no cause for a warning where they can share the work', () => {
    expect(compiled(`${parsed}${file}`)).toEqual([])
  })

  it.each([
    [
      'keeps state',
      `${parsed}  few: { type: dedup, inputs: [parsed], key: [id], window: 1s }
sinks:\n  file: { type: ndjson_file, inputs: [few], path: /x }`,
      '"few" (dedup)',
    ],
    [
      'writes rows',
      `${parsed}sinks:\n  rows: { type: repo, inputs: [parsed], entity: log }`,
      '"rows" (repo)',
    ],
    [
      'reads an error port',
      `${parsed}sinks:
  file: { type: ndjson_file, inputs: [parsed, parsed.errors], path: /x }`,
      '"file" reads the error port of "parsed"',
    ],
    [
      'drops events',
      `${parsed}sinks:
  file: { type: ndjson_file, inputs: [{ from: parsed, policy: drop_oldest }], path: /x }`,
      'parsed -> file drops',
    ],
  ])('are one where a node %s', (_, nodes, reason) => {
    const problems = compiled(nodes)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^THREADS_UNUSED \d+:22 threads cannot share this pipeline: /)
    expect(problems[0]).toContain(reason)
    expect(compiled(nodes, 'threads: 1')).toEqual([])
  })
})
