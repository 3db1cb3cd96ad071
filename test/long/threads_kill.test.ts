import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { seededRandom } from './mutate.ts'
import { sampleLines, times } from './pipelines.ts'

const KILLS = times('KILLS_THREADS', 10)

it(`threads that share the work leave the bytes of one, after ${KILLS} kills at random moments`, async () => {
  const dir = scratchFolder()
  const log = join(dir, 'decnet.log')
  const lines = sampleLines()
  writeFileSync(log, `${[...lines, ...lines, ...lines].join('\n')}\n`)
  const args = (which: string, threads: number) => {
    const file = join(dir, `${which}.yaml`)
    writeFileSync(
      file,
      `name: ${which}
description: Lines of a file to a file
sources:
  lines: { type: syslog_file, path: ${log}, follow: false }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  all: { type: ndjson_file, inputs: [parsed], path: ${join(dir, which, 'all.ndjson')} }
settings: { threads: ${threads}, batch_size: 64, credit: 512, checkpoint: { interval: 100ms } }
`,
    )
    return ['pipeline', 'run', file, '--state-dir', join(dir, which, 'state')]
  }
  const written = (which: string) => readFileSync(join(dir, which, 'all.ndjson'), 'utf8')

  expect(decnet(args('whole', 1)).code).toBe(0)
  const begun = performance.now()
  expect(decnet(args('killed', 2)).code).toBe(0)
  const wholeRun = performance.now() - begun
  expect(written('whole').length).toBeGreaterThan(10_000_000)
  expect(written('killed') === written('whole')).toBe(true)

  const random = seededRandom(5)
  let killed = 0
  for (let round = 0; round < KILLS * 10 && killed < KILLS; round++) {
    if (round === 0) rmSync(join(dir, 'killed'), { recursive: true })
    const child = spawn(join(root, 'bin/decnet'), args('killed', 2), { stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), random() * wholeRun)
    const [code, signal] = await once(child, 'exit')
    clearTimeout(timer)
    if (signal === 'SIGKILL') {
      killed += 1
      continue
    }
    // At its end it is compared, and the state starts over, for there must be more to kill.
    expect(code).toBe(0)
    expect(written('killed') === written('whole'), `round ${round}`).toBe(true)
    rmSync(join(dir, 'killed'), { recursive: true })
  }
  expect(killed).toBe(KILLS)
  expect(decnet(args('killed', 2)).code).toBe(0)
  expect(written('killed') === written('whole')).toBe(true)
  rmSync(dir, { recursive: true })
})
