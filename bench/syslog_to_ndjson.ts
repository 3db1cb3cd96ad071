/**
 * RFC 5424 lines over TCP → parsed → a file of JSON lines, against rsyslogd and syslog-ng: one
 * process receives, another sends, and it is done when every line is in the file. All three write
 * the header fields, the structured data, the message and the raw line; rsyslogd leaves structured
 * data unparsed. None waits for the disk; all may use every processor.
 * Goal: the rate of rsyslogd, or more. Peers: bench/install_peers.sh.
 * How far the language allows to go shows a bare loop: the same lines, in memory already, parsed by the
 * same code and written by JSON.stringify, on one thread, to nowhere.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createReadStream, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseLogLine } from '../protocols/log_line.ts'
import { type Contender, goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'
import { syslogText } from './_syslog_lines.ts'

const LINES = Number(process.env.DECNET_BENCH_LINES ?? 500_000)
const ROUNDS = 3
const root = join(import.meta.dirname, '..')
const peers = join(root, 'node_modules/.peers')
const libraries = [
  'usr/lib/x86_64-linux-gnu',
  'usr/lib/aarch64-linux-gnu',
  'lib/x86_64-linux-gnu',
  'lib/aarch64-linux-gnu',
  'usr/lib/syslog-ng',
].map((folder) => join(peers, folder))

interface Receiver {
  /** config file text, given the port and the file to write */
  readonly config: (port: number, output: string, folder: string) => string
  readonly command: (config: string, folder: string) => [string, ...string[]]
}

const decnet: Receiver = {
  config: (port, output) => `name: bench_syslog
description: Lines over TCP to JSON lines
sources:
  lines: { type: syslog, listen: tcp://127.0.0.1:${port} }
operators:
  parsed: { type: parse_syslog, inputs: [lines], formats: [rfc5424] }
sinks:
  file: { type: ndjson_file, inputs: [parsed], path: ${output}, fsync: false }
settings: { threads: ${availableParallelism()} }
`,
  command: (config, folder) => [
    join(root, 'bin/decnet'),
    ...['pipeline', 'run', config, '--state-dir', join(folder, 'state')],
  ],
}

const field = (name: string, value: string): string =>
  `property(name="${value}" outname="${name}" format="jsonf")`

const rsyslogd: Receiver = {
  config: (port, output, folder) => `global(workDirectory="${folder}" maxMessageSize="256k")
module(load="imptcp")
template(name="json" type="list" option.jsonf="on") {
  ${field('timestamp', 'timereported')} ${field('facility', 'syslogfacility')}
  ${field('severity', 'syslogseverity')} ${field('host', 'hostname')}
  ${field('app', 'app-name')} ${field('procid', 'procid')} ${field('msgid', 'msgid')}
  ${field('sd', 'structured-data')} ${field('msg', 'msg')} ${field('raw', 'rawmsg')}
}
input(type="imptcp" address="127.0.0.1" port="${port}" ruleset="file")
ruleset(name="file") { action(type="omfile" file="${output}" template="json") }
`,
  command: (config, folder) => [
    join(peers, 'usr/sbin/rsyslogd'),
    ...['-n', '-f', config, '-i', join(folder, 'rsyslogd.pid')],
    ...[
      '-M',
      libraries
        .slice(0, 2)
        .map((path) => join(path, 'rsyslog'))
        .find(existsSync) ?? '',
    ],
  ],
}

const syslogNg: Receiver = {
  config: (port, output) => `@version: 3.38
options { stats-freq(0); keep-hostname(yes); log-fifo-size(1000000); };
source s { network(ip("127.0.0.1") port(${port}) transport("tcp") log-iw-size(10000)
  log-msg-size(262144) flags(syslog-protocol, store-raw-message)); };
destination d { file("${output}" template(
  "$(format-json --scope rfc5424 --pair raw=\${RAWMSG})\\n")); };
log { source(s); destination(d); flags(flow-control); };
`,
  command: (config, folder) => [
    join(peers, 'usr/sbin/syslog-ng'),
    ...['-F', '-f', config, '-p', join(folder, 'ng.pid'), '-c', join(folder, 'ng.ctl')],
    ...['-R', join(folder, 'ng.persist'), '--no-caps'],
    `--module-path=${join(peers, 'usr/lib/syslog-ng/3.38')}`,
  ],
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

const now = (): number => performance.timeOrigin + performance.now()

/** Looked at often enough to be right to a hundredth, and too seldom to cost. ms */
const LOOK_EVERY = 10
/** A file that has not grown for so long is complete, or never will be. ms */
const STILL_FOR = 1000

/** @returns when the file last grew; reading it would take time from those who are measured */
async function grownUntil(output: string): Promise<number> {
  let size = -1
  let grownAt = now()
  let started = 0
  while (started === 0 || now() - grownAt < STILL_FOR) {
    const found = statSync(output, { throwIfNoEntry: false })?.size ?? 0
    if (found !== size) grownAt = now()
    if (found > 0) started = 1
    else if (now() - grownAt > 10_000) throw new Error('nothing was written')
    size = found
    await pause(LOOK_EVERY)
  }
  return grownAt
}

async function countLines(output: string): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(output) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
  }
  return lines
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once('close', resolve))

/** @returns ms from the first byte sent to the last line in the file */
async function receive(receiver: Receiver, input: string, folder: string): Promise<number> {
  const port = await freePort()
  const output = join(folder, 'out.ndjson')
  const config = join(folder, 'config.yaml')
  writeFileSync(config, receiver.config(port, output, folder))
  const [command, ...args] = receiver.command(config, folder)
  const env = { ...process.env, DECNET_LOG_LEVEL: 'error' }
  if (receiver !== decnet) Object.assign(env, { LD_LIBRARY_PATH: libraries.join(':') })
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    const sender = spawn(process.execPath, [join(root, 'bench/_tcp_sender.ts'), `${port}`, input], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const began = await new Promise<number>((resolve) =>
      sender.stdout.once('data', (text) => resolve(Number(text))),
    )
    const done = await grownUntil(output)
    await ended(sender)
    const lines = await countLines(output)
    if (lines !== LINES) throw new Error(`${command} wrote ${lines} of ${LINES} lines`)
    return done - began
  } finally {
    child.kill('SIGTERM')
    await ended(child)
    rmSync(output, { force: true })
  }
}

const FORMATS = new Set(['rfc5424'] as const)

/** @returns ms for all lines of `text` */
function bareLoop(text: string): number {
  const began = now()
  let written = 0
  let characters = 0
  for (let start = 0, end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    const line = text.slice(start, end)
    start = end + 1
    const parsed = parseLogLine(line, { receivedAt: began, formats: FORMATS })
    if (!parsed) continue
    const { record: data, time } = parsed
    const id = written.toString(16).padStart(32, '0')
    characters += JSON.stringify({ data, id, time, topic: 'system.log' }).length
    written += 1
  }
  const ms = now() - began
  if (written !== LINES || characters < text.length) throw new Error(`${written} of ${LINES} lines`)
  return ms
}

await inScratch(async (folder) => {
  const input = join(folder, 'input.log')
  const text = syslogText(LINES)
  writeFileSync(input, text)
  const contenders: Record<string, Contender> = {
    decnet: () => receive(decnet, input, folder),
    'bare loop': () => bareLoop(text),
  }
  if (existsSync(join(peers, 'usr/sbin/rsyslogd'))) {
    contenders.rsyslogd = () => receive(rsyslogd, input, folder)
    contenders['syslog-ng'] = () => receive(syslogNg, input, folder)
  } else {
    process.stdout.write('  rsyslogd and syslog-ng are not there: bench/install_peers.sh\n')
  }
  const times = await rounds(contenders, { count: ROUNDS })
  timesTable(times, LINES)
  const ours = times.get('decnet') ?? []
  const share = pairedRatio(times.get('bare loop') ?? [], ours).toFixed(2)
  process.stdout.write(`  rate of decnet / rate of a bare loop on one thread: ${share}\n`)
  for (const peer of ['rsyslogd', 'syslog-ng']) {
    const theirs = times.get(peer)
    if (theirs) goal(`rate of decnet / rate of ${peer}`, pairedRatio(theirs, ours), { least: 1 })
  }
})
