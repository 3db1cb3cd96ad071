import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RawPeer } from '../bus/broker.ts'
import { decnet, decnetMeanwhile, root, scratchFolder } from './decnet.ts'

const dir = scratchFolder()
const socket = join(dir, 'bus.sock')
const env = { DECNET_BUS_TYPE: 'unix', DECNET_BUS_SOCKET: socket, DECNET_LOG_LEVEL: 'info' }
const running = new Set<ChildProcess>()

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly said: () => string
  readonly shown: () => string
}

function start(...args: string[]): Started {
  const child = spawn(join(root, 'bin/decnet'), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let said = ''
  let shown = ''
  child.stdout.on('data', (text) => {
    shown += text
  })
  child.stderr.on('data', (text) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      running.delete(child)
      resolve(code)
    }),
  )
  return { child, ended, said: () => said, shown: () => shown }
}
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

let broker: Started
beforeAll(async () => {
  broker = start('bus', 'serve', '--heartbeat', '1')
  await until(() => existsSync(socket))
})
afterAll(async () => {
  broker.child.kill('SIGTERM')
  expect(await broker.ended).toBe(0)
  expect(existsSync(socket)).toBe(false)
  for (const child of running) child.kill('SIGKILL')
  rmSync(dir, { recursive: true })
})

describe('decnet bus', () => {
  it('carries a message from one process to another, and its own heartbeat', async () => {
    expect(statSync(socket).mode & 0o777).toBe(0o660)
    const beat = start('bus', 'tap', '-n', '1', 'system.*.health')
    expect(await beat.ended).toBe(0)
    expect(JSON.parse(beat.shown())).toMatchObject({
      topic: 'system.bus.health',
      type: 'bus.health',
      payload: { pid: broker.child.pid, connections: expect.any(Number), dropped_total: 0 },
    })
    const tap = start('bus', 'tap', '-n', '1', 'attacker.>')
    while (tap.shown() === '') {
      const said = decnet(['bus', 'publish', 'attacker.observed', '{"n":1}'], { env })
      expect(said).toMatchObject({ code: 0, stderr: '' })
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await tap.ended).toBe(0)
    expect(JSON.parse(tap.shown())).toMatchObject({ type: 'observed', payload: { n: 1 } })
  })

  it('will not do what it cannot, and says why', async () => {
    const wrong: readonly (readonly [readonly string[], number, string])[] = [
      [['bus', 'serve'], 69, 'another process'],
      [['bus', 'publish', 'a..b'], 64, 'not a topic'],
      [['bus', 'publish', 'a.b', '[1]'], 64, 'no JSON object'],
      [['bus', 'publish', 'a.b', '{'], 64, 'no JSON'],
      [['bus', 'tap', 'a b'], 64, 'not a pattern'],
      [['bus', 'serve', '--heartbeat', '0'], 64, 'heartbeat'],
    ]
    const ended = await Promise.all(wrong.map(([args]) => decnetMeanwhile(args, { env })))
    for (const [index, [args, code, text]] of wrong.entries()) {
      expect([args, ended[index]]).toMatchObject([
        args,
        { code, stderr: expect.stringContaining(text) },
      ])
    }
  })

  it('says so where nobody serves', async () => {
    const nowhere = { ...env, DECNET_BUS_SOCKET: join(dir, 'nowhere.sock') }
    const ended = await Promise.all([
      decnetMeanwhile(['bus', 'publish', 'a.b'], { env: nowhere }),
      decnetMeanwhile(['workers'], { env: nowhere }),
      decnetMeanwhile(['bus', 'publish', 'a.b'], { env: { DECNET_BUS_TYPE: 'x' } }),
    ])
    expect(ended.map(({ code }) => code)).toEqual([69, 69, 78])
  })
})

describe('pipelines of two processes', () => {
  const file = (name: string, rest: string): string => {
    const path = join(dir, `${name}.yaml`)
    writeFileSync(path, `name: ${name}\ndescription: A test\n${rest}`)
    return path
  }
  const log = join(dir, 'decnet.log')
  const line = (n: number) =>
    `<134>1 2026-03-01T09:00:0${n}+00:00 web-01 ssh - connect [relay@55555 src="198.51.100.${n}"]\n`

  it('find each other, beat, and stop when they are told to', async () => {
    writeFileSync(log, '')
    const far = file(
      'far',
      `sources: { news: { type: bus, patterns: [system.log] } }
sinks: { shown: { type: stdout, inputs: [news] } }
`,
    )
    const near = file(
      'near',
      `sources: { lines: { type: syslog_file, path: ${log} } }
operators: { parsed: { type: parse_syslog, inputs: [lines] } }
sinks: { news: { type: bus, inputs: [parsed], topic: system.log } }
`,
    )
    const state = join(dir, 'state')
    const reader = start('pipeline', 'run', far, '--state-dir', state)
    const writer = start('pipeline', 'run', near, '--state-dir', state)
    for (let n = 1; reader.shown() === ''; n = (n % 9) + 1) {
      appendFileSync(log, line(n))
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const [first] = reader.shown().split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({
      topic: 'system.log',
      data: { service: 'ssh', event_type: 'connect', type: 'connect' },
    })
    const panel = new RawPeer(socket)
    panel.say('SUB', 'system.near.health')
    panel.say('PUB', 'system.near.control', { payload: { action: 'beat' } })
    const [beat] = await panel.heard(1)
    expect(beat?.body.payload).toMatchObject({ worker: 'near', pid: writer.child.pid })
    for (const [name, one] of Object.entries({ far: reader, near: writer })) {
      const payload = { action: 'stop', requested_by: 'ops' }
      panel.say('PUB', `system.${name}.control`, { payload })
      expect(await one.ended).toBe(0)
      expect(one.said()).toContain('the bus says so')
    }
    panel.socket.destroy()
  }, 120_000)

  it('show who is well, and which of them systemd has units of, in the order of their start', async () => {
    const [full, empty] = [join(dir, 'bin'), join(dir, 'empty')]
    for (const one of [full, empty]) mkdirSync(one)
    const script = `#!/bin/sh
[ "$1" = list-unit-files ] && echo 'decnet-bus.service enabled enabled'
`
    writeFileSync(join(full, 'systemctl'), script, { mode: 0o755 })
    const hosted = { ...env, PATH: `${full}:${process.env.PATH}` }
    const bare = { ...env, PATH: empty, DECNET_NODE: process.execPath }
    const [shown, json] = await Promise.all([
      decnetMeanwhile(['workers', '--wait', '1.5'], { env: hosted }),
      decnetMeanwhile(['workers', '--wait', '1.5', '-o', 'json'], { env: bare }),
    ])
    expect(shown.stdout).toMatch(
      /^WORKER +STATUS +LAST BEAT +INSTALLED +TELLS\nbus +OK +\d s ago +yes +\{"pid":/,
    )
    expect(shown.stdout).toMatch(/^bus .*\napi .*\ncollector +UNKNOWN +- +no +\{\}$/m)
    const { workers } = JSON.parse(json.stdout)
    const { pid } = broker.child
    expect(workers[0]).toMatchObject({ name: 'bus', status: 'ok', extra: { pid }, installed: null })
    const rows = new Map(workers.map((row: { name: string }) => [row.name, row]))
    expect([...rows.keys()].slice(17)).toEqual(['correlate', 'cowrie', 'ingest'])
    expect(rows.get('mutator')).toMatchObject({ status: 'unknown', last_heartbeat_ts: null })
  })
})
