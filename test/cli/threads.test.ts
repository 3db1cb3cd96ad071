import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
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

describe('a pipeline whose work threads share', { timeout: 120_000 }, () => {
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

/** Lines as they come over a connection: most ask nothing of the framing, some do. */
function traffic(): Buffer {
  const lines = readFileSync(log)
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('<'))
    // No line gets the time at which it happens to come.
    .map((line) => line.replace('<14>1 - ', '<14>1 2026-03-01T09:00:01Z '))
  const bytes: Buffer[] = []
  for (const [at, line] of lines.entries()) {
    if (at % 1009 === 0) bytes.push(Buffer.from(`${Buffer.byteLength(line)} ${line}`))
    else if (at % 701 === 0) bytes.push(Buffer.from(`${line}\r\n\0`))
    else bytes.push(Buffer.from(`${line}\n`))
    if (at % 311 === 0) bytes.push(Buffer.from(`<14>1 2026-03-01T09:00:01Z broken \u00e9${at}\n`))
    if (at % 1500 === 0) {
      // No UTF-8, which becomes U+FFFD wherever it is read.
      const head = '<14>1 2026-03-01T09:00:01Z web-01 ssh - connect - '
      bytes.push(Buffer.from(`${head}\xff\xc3 ${'x'.repeat(at)}\n`, 'latin1'))
    }
  }
  return Buffer.concat(bytes)
}

/** @returns what comes out of a pipeline that listens, less what differs from start to start */
async function listening(dir: string, settings: string, sent: Buffer): Promise<Run> {
  const file = join(folder, `${dir}.yaml`)
  const socket = join(folder, `${dir}.sock`)
  const state = join(folder, dir, 'state')
  const paths = { all: join(folder, dir, 'all.ndjson'), some: join(folder, dir, 'some.ndjson') }
  writeFileSync(
    file,
    `name: ${dir}
description: Lines of a socket to two files
sources:
  lines: { type: syslog, listen: "unix:${socket}", max_line: 4096B }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  ssh: { type: filter, inputs: [parsed], where: 'data.service == "ssh"' }
sinks:
  all: { type: ndjson_file, inputs: [parsed], path: ${paths.all} }
  some: { type: ndjson_file, inputs: [ssh, parsed], path: ${paths.some} }
settings: { ${settings} }
`,
  )
  const args = ['pipeline', 'run', file, '--state-dir', state]
  const child = spawn(join(root, 'bin/decnet'), args, { stdio: 'ignore' })
  const exited = once(child, 'exit')
  try {
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20))
    const client = connect(socket)
    // Pieces whose ends have nothing to do with those of lines.
    for (let at = 0; at < sent.length; at += 50_021) client.write(sent.subarray(at, at + 50_021))
    client.end()
    await once(client, 'close')
    const size = () => statSync(paths.some, { throwIfNoEntry: false })?.size ?? 0
    for (let before = -1; size() !== before || before === 0; ) {
      before = size()
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
  const ls = ['pipeline', 'dlq', 'ls', dir, '--limit', '1000', '--state-dir', state, '-o', 'json']
  const { letters } = JSON.parse(decnet(ls).stdout) as { letters: Letter[] }
  const numbered = (path: string) =>
    readFileSync(path, 'utf8').replaceAll(/"id":"[0-9a-f]{16}/g, '"id":"')
  return {
    all: numbered(paths.all),
    some: numbered(paths.some),
    letters: letters
      .map(({ node, eventId, code }) => `${node} ${eventId.slice(16)} ${code}`)
      .sort(),
  }
}

describe('a pipeline that listens and whose work threads share', { timeout: 120_000 }, () => {
  it.each([
    ['two threads', 'threads: 2'],
    ['small batches', 'threads: 2, batch_size: 40, credit: 400'],
  ])('writes the bytes that one thread writes, with %s', async (_, settings) => {
    const name = settings.replace(/\W+/g, '_')
    const sent = traffic()
    const alone = await listening(`one_${name}`, 'threads: 1', sent)
    const shared = await listening(`many_${name}`, settings, sent)
    expect(alone.all.length).toBeGreaterThan(5_000_000)
    expect(alone.letters.length).toBeGreaterThan(20)
    expect(shared.all === alone.all).toBe(true)
    expect(shared.some === alone.some).toBe(true)
    expect(shared.letters).toEqual(alone.letters)
  })
})
