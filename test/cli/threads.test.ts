import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

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

async function run(dir: string, settings: string): Promise<Run> {
  const state = join(folder, dir, 'state')
  const ended = decnet(['pipeline', 'run', pipelineOf(dir, settings), '--state-dir', state])
  expect(ended.stderr).not.toContain('"level":50')
  expect(ended.code).toBe(0)
  const args = ['pipeline', 'dlq', 'ls', dir, '--limit', '1000', '--state-dir', state, '-o', 'json']
  const { letters } = JSON.parse((await decnetHere(args)).stdout) as { letters: Letter[] }
  return {
    all: readFileSync(join(folder, dir, 'all.ndjson'), 'utf8'),
    some: readFileSync(join(folder, dir, 'some.ndjson'), 'utf8'),
    letters: letters.map(({ node, eventId, code }) => `${node} ${eventId} ${code}`).sort(),
  }
}

describe('a pipeline whose work threads share', { timeout: 120_000 }, () => {
  let alone: Run
  beforeAll(async () => {
    alone = await run('alone', 'threads: 1')
  }, 120_000)

  it.each([
    ['two threads', 'threads: 2'],
    ['four threads and small batches', 'threads: 4, batch_size: 33, credit: 400'],
    ['batches that are too small to share', 'threads: 2, batch_size: 8'],
  ])('writes the bytes that one thread writes, with %s', async (_, settings) => {
    const name = settings.replace(/\W+/g, '_')
    const shared = await run(name, settings)
    expect(alone.all.length).toBeGreaterThan(5_000_000)
    expect(alone.letters.length).toBeGreaterThan(200)
    const own = (text: string) => text.replaceAll('"alone"', `"${name}"`)
    expect(shared.all === own(alone.all)).toBe(true)
    expect(shared.some === own(alone.some)).toBe(true)
    expect(shared.letters).toEqual(alone.letters)
  })
})

/** In the line that is sent last. */
const LAST = 'nothing comes after this'

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
  bytes.push(Buffer.from(`<14>1 2026-03-01T09:00:01Z web-01 ssh - connect - ${LAST}\n`))
  return Buffer.concat(bytes)
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50))

/** @returns the last kilobyte of a file that may not be there yet */
const endOf = (path: string): string =>
  existsSync(path) ? readFileSync(path).subarray(-1024).toString() : ''

/** A connection to a socket that is there a moment before anybody listens. */
async function connected(path: string): Promise<Socket> {
  for (;;) {
    const client = connect(path)
    try {
      await once(client, 'connect')
      return client
    } catch {
      // Nobody listens yet.
      await pause()
    }
  }
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
    const client = await connected(socket)
    // Pieces whose ends have nothing to do with those of lines.
    for (let at = 0; at < sent.length; at += 50_021) client.write(sent.subarray(at, at + 50_021))
    client.end()
    while (!(endOf(paths.all).includes(LAST) && endOf(paths.some).includes(LAST))) await pause()
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
  const ls = ['pipeline', 'dlq', 'ls', dir, '--limit', '1000', '--state-dir', state, '-o', 'json']
  const { letters } = JSON.parse((await decnetHere(ls)).stdout) as { letters: Letter[] }
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
  let sent: Buffer
  let alone: Run
  beforeAll(async () => {
    sent = traffic()
    alone = await listening('listening_alone', 'threads: 1', sent)
  }, 120_000)

  it.each([
    ['two threads', 'threads: 2'],
    ['small batches', 'threads: 2, batch_size: 40, credit: 400'],
  ])('writes the bytes that one thread writes, with %s', async (_, settings) => {
    const shared = await listening(`listening_${settings.replace(/\W+/g, '_')}`, settings, sent)
    expect(alone.all.length).toBeGreaterThan(5_000_000)
    expect(alone.letters.length).toBeGreaterThan(20)
    expect(shared.all === alone.all).toBe(true)
    expect(shared.some === alone.some).toBe(true)
    expect(shared.letters).toEqual(alone.letters)
  })
})
