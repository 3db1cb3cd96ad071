/** New rows of a table, in the order of their ids. */
import { Type } from 'typebox'
import { type Context, defineSource, duration } from '../engine/index.ts'
import { database } from '../store/database.ts'
import { followed } from '../store/follow_rows.ts'
import {
  cursorOf,
  type PolledRow,
  type PollQueryName,
  pollQueryNames,
  pollRows,
} from '../store/poll_queries.ts'
import { jsonDraft } from './lines/json_line.ts'

/** A shorter period would be busy with itself. */
const SHORTEST = 10
const MAX_LINE = 256 * 1024

interface PollConfig {
  readonly query: PollQueryName
  readonly period: number
  readonly debounce: number
  readonly batch: number
}

interface Pass {
  readonly rows: readonly PolledRow[]
  /** where the next pass goes on */
  readonly after: number
}

/** @returns undefined where the database did not answer; it is asked again after the period */
async function pass(
  { query, batch }: PollConfig,
  after: number,
  context: Context,
  wasAway: boolean,
): Promise<Pass | undefined> {
  try {
    const db = await context.use(database)
    const rows = await pollRows(db, query, after, batch)
    const last = rows.at(-1)
    if (last || after === 0) return { rows, after: last?.id ?? after }
    const from = await cursorOf(db, query, after)
    if (from < after) {
      context.count('went_back')
      context.log.warn({ node: context.node, query, after, from }, WENT_BACK)
    }
    return { rows, after: from }
  } catch (error) {
    context.count('query_failed')
    if (!wasAway) context.log.warn({ node: context.node, query, error }, 'cannot poll; trying on')
    return undefined
  }
}

const WENT_BACK =
  'the rows that were read last are gone: deleted, or the database was restored from a backup; ' +
  'after that, delete the state of this pipeline, or rows are left out'

export const dbPoll = defineSource({
  type: 'db_poll',
  summary: 'Each new row of a table as an event, looked for every `period` and when woken.',
  promise:
    'Replayable: the position is the id of the last row. One pass at a time; a wake during a pass ' +
    'brings another at once; a database that is away is asked again, and one whose last rows are ' +
    'gone (a backup was restored) from its last row on, with a warning. Rows that are changed later ' +
    'do not come again, but by the queries of changes, which give the row as it stands then. To replay, give it a capture (events, one JSON object a line), or replay the ' +
    'pipelines that write the table with it.',
  replayable: true,
  wakes: true,
  follows: ({ query }) => followed(query),
  config: Type.Object({
    query: Type.Enum(pollQueryNames, {
      description:
        'What to follow: `logs_after_id` (records), `credentials_after_id` (without their secrets), ' +
        '`bounties_after_id`, or rows that change: `attackers_after_change` (with their evidence) ' +
        'and `identities_after_change`.',
    }),
    period: duration({
      default: '30s',
      description: 'Time between two passes while nothing wakes it, 10ms at least.',
    }),
    debounce: duration({
      default: '0s',
      description:
        'Time from being woken to looking. Who wakes it may have the news before the rows are ' +
        'committed, and of many wakes one is enough.',
    }),
    batch: Type.Integer({
      default: 500,
      minimum: 1,
      maximum: 10_000,
      description: 'Rows per pass, at most; after a full one the next follows at once.',
    }),
  }),
  examples: [
    {
      title: 'Log rows, looked for every half minute',
      yaml: 'type: db_poll\nquery: logs_after_id',
    },
    {
      title: 'Bounties, 100 at a time',
      yaml: 'type: db_poll\nquery: bounties_after_id\nperiod: 5s\nbatch: 100',
    },
  ],
  async *read(config, position: { after: number } | undefined, context) {
    let after = position?.after ?? 0
    let away = false
    while (!context.signal.aborted) {
      const before = after
      const found = await pass(config, after, context, away)
      away = found === undefined
      if (found) {
        after = found.after
        const events = found.rows.flatMap(({ item }) => item ?? [])
        const isBack = after < before
        // A position that went back is kept though nothing comes with it.
        if (events.length > 0 || isBack) yield { events, position: { after } }
        if (found.rows.length === config.batch || isBack) continue
      }
      await context.wakeup.wait(Math.max(config.period, SHORTEST), config.debounce)
    }
  },
  fromLine: (line, receivedAt, { query }) =>
    jsonDraft({ text: line.slice(0, MAX_LINE), truncated: line.length > MAX_LINE }, receivedAt, {
      topic: query,
    }),
})
