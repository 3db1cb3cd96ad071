import { Command, Option } from 'clipanion'
import { printable } from '../engine/compile/printable.ts'
import type { StateReader } from '../engine/state_reader.ts'
import { quote } from '../protocols/quote.ts'
import { exitCode } from './exit_code.ts'
import { count, outputFormat } from './option_values.ts'
import { jsonOrText, safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { grouped, textTable } from './text_table.ts'
import { sizeText, timeText } from './units_text.ts'
import { UsageError } from './usage_error.ts'

/** The longest key there is, so that each can be handed to `state get` as it is shown. */
const MAX_KEY_LENGTH = 1024

/** Of a position; `-o json` has all of it. */
const POSITION_CHARACTERS = 100

/** Lists what a pipeline has saved. */
export class PipelineStateLs extends Command {
  static override paths = [['pipeline', 'state', 'ls']]
  static override usage = Command.Usage({
    description: 'List what a pipeline has saved: positions and state, or the keys of one node.',
    details: 'Shows the last checkpoint, also while the pipeline runs. The last used key is first.',
    examples: [
      ['Positions, and nodes with state', '$0 pipeline state ls ingest'],
      ['The keys of one node', '$0 pipeline state ls ingest limited --limit 20'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  node = Option.String({ name: 'node', required: false })
  limit = Option.String('--limit', '100', { description: 'keys to list', validator: count })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const { node, limit } = this
    const text = await withState(this, (reader) => {
      if (node === undefined) return this.output === 'json' ? wholeJson(reader) : whole(reader)
      const known = reader.nodes().find((row) => row.node === node)
      if (!known) throw new UsageError(`No state is saved for ${quote(node)}.`)
      const rows = reader.keys(node, limit)
      if (this.output === 'json') return keysJson(rows)
      const rest = known.keys - rows.length
      return `${keys(rows)}${rest > 0 ? `and ${grouped(rest)} more; see --limit\n` : ''}`
    })
    this.context.stdout.write(text)
    return exitCode.ok
  }
}

function whole(reader: StateReader): string {
  const positions = reader
    .positions()
    .map(({ source, type, sequence, position }) => [
      source,
      type,
      grouped(sequence),
      printable(position.slice(0, POSITION_CHARACTERS)),
    ])
  const nodes = reader
    .nodes()
    .map(({ node, type, keys: held, size, watermark }) => [
      node,
      type,
      grouped(held),
      sizeText(size),
      timeText(watermark),
    ])
  const tables = [
    ...(positions.length > 0
      ? [textTable([['NODE', 'TYPE', 'READ', 'POSITION'], ...positions], POSITIONS)]
      : []),
    ...(nodes.length > 0
      ? [textTable([['NODE', 'TYPE', 'KEYS', 'SIZE', 'WATERMARK'], ...nodes], NODES)]
      : []),
  ]
  return tables.length > 0 ? tables.join('\n') : 'nothing is saved yet\n'
}

const POSITIONS = { align: ['left', 'left', 'right', 'left'] as const }
const NODES = { align: ['left', 'left', 'right', 'right', 'left'] as const }

const wholeJson = (reader: StateReader): string =>
  `${safeJson({
    positions: reader.positions().map((row) => ({ ...row, position: jsonOrText(row.position) })),
    nodes: reader.nodes(),
  })}\n`

type Keys = ReturnType<StateReader['keys']>

const keys = (rows: Keys): string =>
  textTable(
    [
      ['KEY', 'SIZE', 'TIMERS', 'TOUCHED'],
      ...rows.map(({ key, state, timers, touched }) => [
        quote(key, MAX_KEY_LENGTH),
        sizeText(state.length + key.length),
        String(timerCount(timers)),
        timeText(touched),
      ]),
    ],
    { align: ['left', 'right', 'right', 'left'] },
  )

const keysJson = (rows: Keys): string =>
  `${safeJson(
    rows.map(({ key, state, timers, touched }) => ({
      key,
      touched,
      size: state.length + key.length,
      timers: timerCount(timers),
    })),
  )}\n`

/** `[]`, `[5]`, `[5,9]`: counted as text, so that a damaged row can be listed like any other. */
const timerCount = (timers: string): number => (timers.length <= 2 ? 0 : timers.split(',').length)
