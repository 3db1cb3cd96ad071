import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { runPipelineTests } from '../../engine/pipeline_test.ts'

const folder = new URL('../../pipelines/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const compile = (name: string, env: Record<string, string> = {}) =>
  compilePipeline(readFileSync(new URL(name, folder), 'utf8'), name, { registry, env })
const configOf = (name: string, env: Record<string, string>, node: string) =>
  compile(name, env).plan?.nodes.find(({ id }) => id === node)?.config

/** What is meant to be so: packets that pass by cannot be asked for again. */
const KNOWN: Readonly<Record<string, readonly string[]>> = { 'sniffer.yaml': ['NOT_REPLAYABLE'] }

describe.each(files)('pipelines/%s', (name) => {
  it('is free of errors and warnings', () => {
    const { plan, problems } = compile(name)
    expect(problems.map(({ code }) => code)).toEqual(KNOWN[name] ?? [])
    expect(`${plan?.name}.yaml`).toBe(name)
  })

  it('has tests and passes them', async () => {
    const { plan } = compile(name)
    if (!plan) throw new Error('does not compile')
    const results = await runPipelineTests(plan)
    expect(results.length).toBeGreaterThan(0)
    expect(results.filter(({ differences }) => differences.length > 0)).toEqual([])
  })
})

describe('the ingest pipeline', () => {
  it('reads where the sheets say, and elsewhere when told', () => {
    expect(configOf('ingest.yaml', {}, 'lines')).toMatchObject({
      path: '/var/log/decnet/decnet.log',
    })
    const env = { DECNET_INGEST_LOG_FILE: '/tmp/other.log' }
    expect(configOf('ingest.yaml', env, 'lines')).toMatchObject({ path: '/tmp/other.log' })
  })

  it('limits within a second, or as long as told, or not at all', () => {
    const windows = ['1.0', '2.5', '0'].map(
      (DECNET_COLLECTOR_RL_WINDOW_SEC) =>
        configOf('ingest.yaml', { DECNET_COLLECTOR_RL_WINDOW_SEC }, 'limited')?.window,
    )
    expect(windows).toEqual([1000, 2500, 0])
    expect(configOf('ingest.yaml', {}, 'limited')).toMatchObject({ window: 1000 })
  })

  it.each(['abc', '-3', ''])('refuses or ignores the window %j, with the line', (text) => {
    const { problems } = compile('ingest.yaml', { DECNET_COLLECTOR_RL_WINDOW_SEC: text })
    expect(problems.map(({ code }) => code)).toEqual(text === '' ? [] : ['DURATION'])
  })

  it.each(['ingest.yaml', 'cowrie.yaml'])('trusts in %s the proxies it is told of', (name) => {
    const env = { DECNET_TRUSTED_PROXIES: '10.0.0.0/8,::1' }
    expect(configOf(name, env, 'found')).toMatchObject({ trusted_proxies: '10.0.0.0/8,::1' })
    expect(configOf(name, {}, 'found')).toMatchObject({ trusted_proxies: '' })
  })

  it('drops the services it is told to', () => {
    const env = { DECNET_COLLECTOR_DROP_APPS: 'noisy,other' }
    const config = configOf('ingest.yaml', env, 'wanted') as {
      where: { evaluate(event: object): unknown }
    }
    const wanted = (service: string) =>
      config.where.evaluate({ id: '', topic: '', time: 0, data: { service } })
    expect(['noisy', 'other', 'sshd', 'noisy,other'].map(wanted)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })
})

describe('the sniffer pipeline', () => {
  it('captures where it is told to, and reads the state file that it is told of', () => {
    const env = { DECNET_SNIFFER_IFACE: 'eth7', DECNET_STATE_FILE: '/tmp/state.json' }
    expect(configOf('sniffer.yaml', env, 'packets')).toMatchObject({
      interface: 'eth7',
      state_file: '/tmp/state.json',
    })
    expect(configOf('sniffer.yaml', env, 'deckies')).toMatchObject({
      state_file: '/tmp/state.json',
    })
  })

  it.each([
    [undefined, false],
    ['false', false],
    ['true', true],
  ])('asks the database for deckies where DECNET_SNIFFER_DATABASE is %s: %s', (text, database) => {
    const env = text === undefined ? {} : { DECNET_SNIFFER_DATABASE: text }
    expect(configOf('sniffer.yaml', env as Record<string, string>, 'deckies')).toMatchObject({
      database,
    })
  })

  it('writes where the ingester reads', () => {
    const env = { DECNET_INGEST_LOG_FILE: '/tmp/one.log' }
    const path = (name: string, node: string) => configOf(name, env, node)?.path
    expect(path('sniffer.yaml', 'log')).toBe(path('ingest.yaml', 'lines'))
  })
})
