import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import { connectControl } from '../engine/control_client.ts'
import type { ControlAnswer } from '../engine/control_protocol.ts'
import { EngineError, UnavailableError } from '../engine/errors.ts'
import type { Event } from '../engine/event.ts'
import { exitCode } from './exit_code.ts'
import { count, outputFormat } from './option_values.ts'
import { pipelineName } from './pipeline_name.ts'
import { safeJson } from './safe_json.ts'
import { stateDir } from './state_dir.ts'
import { onStopSignal } from './stop_signals.ts'
import { timeText } from './units_text.ts'
import { UsageError } from './usage_error.ts'

/** Shows the events that leave a node of a running pipeline. */
export class PipelineTap extends Command {
  static override paths = [['pipeline', 'tap']]
  static override usage = Command.Usage({
    description: 'Watch the events that leave a node of a running pipeline.',
    details:
      'It cannot slow the pipeline: beyond 2,500 events a second, or 20,000 that `--where` has to be ' +
      'asked about, events are dropped, and so are those that are not read in time; how many is ' +
      'said on stderr. An event that the condition gives no answer for is not shown. ' +
      'Ends with the pipeline, at `--limit` or at Ctrl-C.',
    examples: [
      ['What does the parser make of the lines?', '$0 pipeline tap ingest parsed'],
      ['What can it not read?', '$0 pipeline tap ingest parsed.errors --limit 10'],
      [
        'One SSH event in ten, for a program to read',
        `$0 pipeline tap ingest limited --sample 1/10 --where 'data.service == "ssh"' -o json`,
      ],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  node = Option.String({ name: 'node[.port]' })
  sample = Option.String('--sample', '1/1', {
    description: 'which share to show, e.g. 1/10: chosen by event id, the same every time',
  })
  where = Option.String('--where', { description: 'CEL condition on id, topic, time and data' })
  limit = Option.String('--limit', { description: 'end after this many events', validator: count })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: one event a line',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', { description: 'where the pipeline keeps its state' })

  override async execute(): Promise<number> {
    const sample = parseSample(this.sample)
    const dir = stateDir(this.stateDir, process.env)
    const name = pipelineName(this.pipeline, dir)
    const client = await connectControl(dir, name)
    if (!client) throw new UnavailableError('NOT_RUNNING', `${name} does not run on ${dir}`)
    let code: number = exitCode.ok
    const ignoreSignals = onStopSignal((_signal, signalCode) => {
      code = signalCode
      client.close()
    })
    try {
      const { where, node: port } = this
      client.ask({ op: 'tap', port, sample, ...(where !== undefined && { where }) })
      await this.#show(client.next, this.limit ?? Number.POSITIVE_INFINITY)
      return code
    } finally {
      ignoreSignals()
      client.close()
    }
  }

  async #show(next: () => Promise<ControlAnswer | undefined>, limit: number): Promise<void> {
    const { stderr } = process
    let shown = 0
    let saidWhy = false
    for (let said = await next(); said; said = await next()) {
      if ('error' in said) throw new EngineError(said.error.code, said.error.message)
      if ('tapping' in said) stderr.write(`tapping ${said.tapping}\n`)
      else if ('dropped' in said) stderr.write(`dropped ${said.dropped} so far\n`)
      else if ('unanswered' in said) {
        // Once: it may grow with every event, and the first says what is wrong with the condition.
        if (!saidWhy) stderr.write(`the condition has no answer for some events: ${said.why}\n`)
        saidWhy = true
      } else if ('event' in said) {
        shown += 1
        if (!(await printed(this.#line(said.event))) || shown >= limit) return
      }
    }
  }

  #line({ id, topic, time, data }: Event): string {
    return this.output === 'json'
      ? safeJson({ data, id, time, topic }, 0)
      : `${timeText(time)} ${id} ${topic} ${safeJson(data, 0)}`
  }
}

/**
 * Waits until the line is taken, so that the pipeline learns how fast we are.
 * @returns false when nobody reads any more, as after `| head`
 */
function printed(line: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (error && 'code' in error && error.code !== 'EPIPE') reject(error)
      else resolve(!error)
    })
  })
}

const positive = t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(1)])

function parseSample(text: string): [number, number] {
  const [keep, of, ...more] = text.split('/').map(Number)
  if (more.length > 0 || !positive(keep) || !positive(of) || keep > of) {
    throw new UsageError(`--sample takes a share such as 1/10.`)
  }
  return [keep, of]
}
