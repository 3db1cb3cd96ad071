import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from './decnet.ts'

const folder = scratchFolder()
const log = join(folder, 'decnet.log')
afterAll(() => rmSync(folder, { recursive: true }))
beforeAll(() => {
  const lines = gunzipSync(readFileSync(join(root, 'samples/decnet.log.gz')))
    .toString()
    .split('\n')
  // Some that no parser takes, some that are not ASCII, and one that is cut.
  for (let at = 50; at < lines.length; at += 97) lines[at] = `no syslog at all ${at} \u00e9\u4e2d`
  lines[200] = `<14>1 - h a - - - ${'x'.repeat(5000)}`
  writeFileSync(log, lines.join('\n'))
})

/** Lines of a file, parsed, parted and written to two files. */
function pipelineOf(dir: string, settings: string): string {
  const file = join(folder, `${dir}.yaml`)
  writeFileSync(
    file,
    `name: ${dir}
description: Lines of a file to two files
sources:
  lines: { type: syslog_file, path: ${log}, follow: false, max_line: 4096B }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  ssh: { type: filter, inputs: [parsed], where: 'data.service == "ssh"' }
sinks:
  all: { type: ndjson_file, inputs: [parsed], path: ${join(folder, dir, 'all.ndjson')} }
  some: { type: ndjson_file, inputs: [ssh, parsed], path: ${join(folder, dir, 'some.ndjson')} }
settings: { ${settings} }
`,
  )
  return file
}

interface Letter {
  readonly node: string
  readonly eventId: string
  readonly code: string
}

interface Run {
  readonly all: string
  readonly some: string
  /** node, event id and code of each, in order */
  readonly letters: readonly string[]
}

function run(dir: string, settings: string): Run {
  const state = join(folder, dir, 'state')
  const ended = decnet(['pipeline', 'run', pipelineOf(dir, settings), '--state-dir', state])
  expect(ended.stderr).not.toContain('"level":50')
  expect(ended.code).toBe(0)
  const args = ['pipeline', 'dlq', 'ls', dir, '--limit', '1000', '--state-dir', state, '-o', 'json']
  const { letters } = JSON.parse(decnet(args).stdout) as { letters: Letter[] }
  return {
    all: readFileSync(join(folder, dir, 'all.ndjson'), 'utf8'),
    some: readFileSync(join(folder, dir, 'some.ndjson'), 'utf8'),
    letters: letters.map(({ node, eventId, code }) => `${node} ${eventId} ${code}`).sort(),
  }
}

describe('a pipeline whose work threads share', () => {
  it.each([
    ['two threads', 'threads: 2'],
    ['four threads and small batches', 'threads: 4, batch_size: 33, credit: 400'],
    ['batches that are too small to share', 'threads: 2, batch_size: 8'],
  ])('writes the bytes that one thread writes, with %s', (_, settings) => {
    const name = settings.replace(/\W+/g, '_')
    const alone = run(`alone_${name}`, 'threads: 1')
    const shared = run(`shared_${name}`, settings)
    expect(alone.all.length).toBeGreaterThan(5_000_000)
    expect(alone.letters.length).toBeGreaterThan(200)
    const own = (text: string) => text.replaceAll(`alone_${name}`, `shared_${name}`)
    expect(shared.all === own(alone.all)).toBe(true)
    expect(shared.some === own(alone.some)).toBe(true)
    expect(shared.letters).toEqual(alone.letters)
  })
})
