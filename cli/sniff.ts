import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import { compilePipeline } from '../engine/compile.ts'
import { EngineError } from '../engine/errors.ts'
import type { Plan } from '../engine/plan.ts'
import { problemsText } from '../engine/problem_text.ts'
import { parseIp } from '../protocols/ip_address.ts'
import { exitCode } from './exit_code.ts'
import { quietView } from './progress.ts'
import { inSession, type Session } from './session.ts'
import { sniffPipeline, sniffRegistry } from './sniff_pipeline.ts'
import { UsageError } from './usage_error.ts'

/** Prints fingerprints out of a capture, or off a wire. */
export class Sniff extends Command {
  static override paths = [['sniff']]
  static override usage = Command.Usage({
    description: 'Print what the sniffer sees in a capture file, or on an interface.',
    details:
      'A file is a pcap or pcapng, packed by gzip or not; `-` is a capture on standard input; ' +
      'anything else is an interface, until SIGINT. Deckies are named by `--decky`; `--all` takes ' +
      'every address that is connected to for one. The operators are those of the `sniffer` ' +
      'pipeline, without its five minutes between repeats unless `--dedup` asks for them.',
    examples: [
      ['What a capture holds', '$0 sniff night.pcap --all'],
      ['For a program to read', '$0 sniff night.pcap.gz --all --json'],
      ['One decky, live', '$0 sniff eth0 --decky 192.0.2.10=web-01'],
    ],
  })
  from = Option.String({ name: 'file|interface', required: true })
  deckies = Option.Array('--decky', [], { description: 'IP=NAME of a decky; may come again' })
  all = Option.Boolean('--all', false, { description: 'every destination is a decky' })
  json = Option.Boolean('--json', false, { description: 'one event a line: topic, time, data' })
  dedup = Option.String('--dedup', { description: 'drop repeats for so long, e.g. 300s' })
  p0f = Option.String('--p0f', { description: 'signature file in the format of p0f 3' })
  filter = Option.String('--filter', { description: 'what to capture, as tcpdump takes it' })

  override async execute(): Promise<number> {
    const deckies = Object.fromEntries(this.deckies.map(readDecky))
    if (!this.all && this.deckies.length === 0) {
      throw new UsageError(
        'name deckies with --decky IP=NAME, or take every destination with --all.',
      )
    }
    const isFile = this.from !== '-' && existsSync(this.from)
    if (isFile && this.filter !== undefined) throw new UsageError('--filter is for an interface.')
    const text = sniffPipeline({
      capture: { ...captureOf(this.from, isFile), ...(this.filter ? { filter: this.filter } : {}) },
      deckies,
      all: this.all,
      p0fFile: this.p0f,
      json: this.json,
      dedup: this.dedup,
    })
    const { plan, problems } = compilePipeline(text, 'sniff', {
      registry: sniffRegistry,
      env: process.env,
    })
    if (!plan) {
      const { isTTY } = process.stderr
      this.context.stderr.write(
        problemsText(problems, '', { color: isTTY && !process.env.NO_COLOR }),
      )
      return exitCode.badConfig
    }
    const session = {
      view: quietView(process.stderr),
      secrets: new Map<string, string>(),
      logLevel: process.env.DECNET_LOG_LEVEL ?? 'warn',
      databaseUrl: () => '',
    }
    return inSession(session, (around) =>
      isFile ? readFile(plan, this.from, around) : listen(plan, around),
    )
  }
}

const captureOf = (from: string, isFile: boolean) =>
  isFile ? { file: from } : from === '-' ? { stdin: true } : { interface: from }

/** @throws {UsageError} */
function readDecky(text: string): [string, string] {
  const [, ip = '', name = ''] = /^([^=]+)=([^=\s]+)$/.exec(text) ?? []
  const address = parseIp(ip)
  if (address === undefined) throw new UsageError(`not IP=NAME: ${JSON.stringify(text)}`)
  return [address, name]
}

/** Driven by the times in the capture, so that connections that fall silent end at its end. */
async function readFile(plan: Plan, file: string, { log, use, stop }: Session): Promise<number> {
  const { replay } = await import('../engine/replay.ts')
  const options = { plans: [plan], captures: [{ file }], writeDatabase: false, use, log }
  try {
    const report = await replay({ ...options, signal: stop })
    if (report.outcome === 'failed') throw report.error
    return stop.aborted ? stop.reason : exitCode.ok
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'CAPTURE') throw error
    process.stderr.write(`error[${error.code}]: ${error.message}\n`)
    return exitCode.trouble
  }
}

async function listen(plan: Plan, { log, use, stop }: Session): Promise<number> {
  const { startPipelines } = await import('../engine/run.ts')
  const stateDir = await mkdtemp(join(tmpdir(), 'decnet-sniff-'))
  try {
    const running = await startPipelines({ plans: [plan], stateDir, use, log })
    stop.addEventListener('abort', running.stop)
    if (stop.aborted) running.stop()
    const report = await running.done
    if (report.outcome === 'failed') throw report.error
    return exitCode.ok
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
