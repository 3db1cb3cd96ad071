import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline, resolvedPipeline } from '../../../engine/compile.ts'
import { standIns } from '../../fixtures/components.ts'
import { pipeline } from './compiled.ts'

const folder = new URL('../../../pipelines/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
const env = { DECNET_INGEST_LOG_FILE: '/tmp/${not}.log' }

describe('a resolved pipeline', () => {
  it('has variables replaced and defaults filled in, as one would write them', () => {
    const text = pipeline(
      'sources:\n  lines: { type: tail, path: "${DIR}/a", max_line: 1KiB }\n' +
        'operators:\n  n: { type: count, inputs: [lines, { from: lines.errors, policy: drop_newest }], window: 60s }\n' +
        "  ok: { type: pass, inputs: [n], where: 'data.n > 1' }\n" +
        'sinks:\n  out: { type: print, inputs: [ok] }\n',
    )
    const options = { registry: standIns, env: { DIR: '/var' } }
    expect(resolvedPipeline(text, 'p.yaml', options).pipeline).toEqual({
      name: 'p',
      description: 'A test',
      sources: {
        lines: { type: 'tail', path: '/var/a', poll: '250ms', max_line: '1KiB', follow: true },
      },
      operators: {
        n: {
          type: 'count',
          inputs: ['lines', { from: 'lines.errors', policy: 'drop_newest', capacity: 1000 }],
          window: '60s',
          max_keys: 65_536,
        },
        ok: { type: 'pass', inputs: ['n'], where: 'data.n > 1' },
      },
      sinks: { out: { type: 'print', inputs: ['ok'] } },
      settings: {
        batch_size: 512,
        credit: 8192,
        threads: 1,
        checkpoint: { interval: '10s' },
        shutdown_timeout: '20s',
        dead_letters: { limit: 100_000 },
        metrics: {},
        journal: { max_size: '1GiB' },
      },
    })
  })

  it.each(files)('of %s means the same as the file', (file) => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    const { pipeline: shown } = resolvedPipeline(text, file, { registry, env })
    const plan = (source: string) => compilePipeline(source, file, { registry, env }).plan
    const comparable = (value: ReturnType<typeof plan>) =>
      JSON.stringify(
        { ...value, tests: value?.tests.map((test) => ({ ...test, line: 0 })) },
        (_, item) => (typeof item === 'function' ? undefined : item),
      )
    expect(comparable(plan(stringify(shown)))).toBe(comparable(plan(text)))
    expect(plan(text)).toBeDefined()
  })

  it('is not there for a file with errors; the problems are', () => {
    const { pipeline: shown, problems } = resolvedPipeline('name: 5', 'p.yaml', { registry, env })
    expect(shown).toBeUndefined()
    expect(problems.length).toBeGreaterThan(1)
  })
})
