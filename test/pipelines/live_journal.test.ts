import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { silentLog } from '../../engine/context.ts'
import { replay } from '../../engine/replay.ts'
import { startPipelines } from '../../engine/run.ts'
import { until } from '../sources/source_run.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-live-journal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Until somebody listens. */
async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  const open = once(socket, 'connect').then(
    () => true,
    () => false,
  )
  return (await open) ? socket : connected(port)
}

const line = (time: number) =>
  `<134>1 ${new Date(time).toISOString()} decky ssh - connect - hello\n`
const textOf = (name: string) => readFileSync(join(dir, name), 'utf8')

it('replays what came over TCP to the bytes it had live: a silence, and a line of the year 2099', async () => {
  const port = await freePort()
  const text = `
name: counting
description: Lines per second
sources:
  lines: { type: syslog, listen: 'tcp://127.0.0.1:${port}', journal: true }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  counts: { type: window, inputs: [parsed], size: 1s }
sinks:
  out: { type: ndjson_file, inputs: [counts], path: ${join(dir, 'out.ndjson')} }
  bad: { type: ndjson_file, inputs: [counts.errors], path: ${join(dir, 'bad.ndjson')} }
`
  const { plan, problems } = compilePipeline(text, 'counting.yaml', { registry, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  for (const name of ['out.ndjson', 'bad.ndjson']) writeFileSync(join(dir, name), '')
  const use = () => Promise.reject(new Error('no resources here'))
  const stateDir = join(dir, 'state')
  const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
  const counted = () =>
    [...textOf('out.ndjson').matchAll(/"count":(\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0)
  const refused = () => [...textOf('bad.ndjson').matchAll(/"code":"([A-Z]+)"/g)].map(([, c]) => c)
  try {
    const socket = await connected(port)
    const first = Date.now()
    socket.write(line(first) + line(first) + line(Date.UTC(2099, 0, 1)))
    await until(() => counted() === 2)
    // Its window has closed in the silence.
    socket.write(line(first))
    socket.end(line(Date.now()))
    await until(() => counted() === 3)
  } finally {
    running.stop()
  }
  expect((await running.done).outcome).toBe('stopped')
  expect(refused()).toEqual(['AHEAD', 'LATE'])
  for (const batchSize of [1, 7, 512]) {
    const captures = [{ file: join(stateDir, 'counting.journal') }]
    const sinkDir = join(dir, `replayed_${batchSize}`)
    const options = { plans: [plan], captures, sinkDir, writeDatabase: false, use, batchSize }
    await replay({ ...options, log: silentLog })
    for (const sink of ['out', 'bad']) {
      expect(readFileSync(join(sinkDir, `counting.${sink}.ndjson`), 'utf8')).toBe(
        textOf(`${sink}.ndjson`),
      )
    }
  }
})
