import { describe, expect, it } from 'vitest'
import { topText } from '../../cli/top_text.ts'
import { durationText, sizeText, timeText } from '../../cli/units_text.ts'
import type { EdgeStats } from '../../engine/edge_stats.ts'
import type { NodeStats, RunStats } from '../../engine/run_stats.ts'

const node = (more: Partial<NodeStats>): NodeStats => ({
  id: 'in',
  type: 'list',
  in: 0,
  out: 0,
  filtered: 0,
  errors: 0,
  retries: 0,
  deadLettered: 0,
  queued: 0,
  pending: 0,
  waiting: 0,
  dropped: 0,
  ...more,
})
const edge = (more: Partial<EdgeStats>): EdgeStats => ({
  ...{ from: 'in', to: 's1', policy: 'block', sent: 0, dropped: 0, waiting: 0 },
  ...more,
})
const stats = (clock: number, ...nodes: NodeStats[]): RunStats => ({
  pipeline: 'ingest',
  clock,
  inFlight: 1200,
  credit: 8192,
  deadLetters: 3,
  nodes,
  edges: [],
})

/** The cells of the only row of a table, by heading; it has no longer name than its heading. */
function cells(text: string, line = 1): Record<string, string> {
  const [head = '', row = ''] = text.split('\n').slice(line)
  let start = 0
  const columns = [...head.matchAll(/\S+/g)].map(({ 0: name, index }) => {
    const cell = row.slice(start, index + name.length).trim()
    start = index + name.length
    return [name, cell]
  })
  return Object.fromEntries(columns)
}

describe('top', () => {
  it('shows rates, totals and state', () => {
    const state = { keys: 65_536, bytes: 3_500_000, timers: 4, evicted: 12 }
    const before = stats(1000, node({ in: 100, out: 90 }))
    const now = stats(
      3000,
      node({ in: 10_100, out: 90, pending: 2, waiting: 5, oldest: 2500, lag: 90_000, state }),
    )
    expect(topText(now, before)).toMatch(
      /^ingest: 1,200 in flight \(credit 8,192 a source\), 3 dead letters\n/,
    )
    expect(cells(topText(now, before))).toMatchObject({
      'IN/s': '5,000',
      'OUT/s': '0',
      IN: '10,100',
      QUEUE: '7',
      OLDEST: '2.5 s',
      LAG: '1.5 m',
      KEYS: '65,536',
      STATE: '3.3 MiB',
      EVICTED: '12',
    })
  })

  it('shows what passes each edge, what waits on it and what it has let go', () => {
    const look = (clock: number, sent: number) => {
      const drops = { policy: 'drop_oldest', capacity: 10, dropped: 7, waiting: 4 } as const
      const of = edge({ ...drops, sent, oldest: 1500, behind: 90_000, idle: 20 })
      return { ...stats(clock, node({})), edges: [of] }
    }
    const shown = topText(look(3000, 2100), look(1000, 100))
    expect(cells(shown, 4)).toEqual({
      ...{ FROM: 'in', TO: 's1', 'EVENTS/s': '1,000', EVENTS: '2,100', DROPPED: '7' },
      ...{ WAITING: '4/10', OLDEST: '1.5 s', BEHIND: '1.5 m', IDLE: '20 ms' },
    })
    const blocks = { ...stats(3000, node({})), edges: [edge({ sent: 5 })] }
    expect(cells(topText(blocks, undefined), 4)).toMatchObject({ EVENTS: '5', DROPPED: '' })
  })

  it('shows no rates at the first look and after a restart', () => {
    const now = stats(50, node({ in: 10 }))
    for (const before of [undefined, stats(9000, node({ in: 5000 }))]) {
      expect(cells(topText(now, before))).toMatchObject({ 'IN/s': '', IN: '10' })
    }
  })

  it.each([
    [durationText(0), '0 ms'],
    [durationText(999), '999 ms'],
    [durationText(1500), '1.5 s'],
    [durationText(-3_600_000), '-1.0 h'],
    [durationText(90 * 86_400_000), '90 d'],
    [sizeText(512), '512 B'],
    [sizeText(1536), '1.5 KiB'],
    [timeText(0), '1970-01-01T00:00:00.000Z'],
    [timeText(-1.7e308), '-1.7e+308'],
  ])('writes %s', (text, expected) => expect(text).toBe(expected))
})
