import { describe, expect, it } from 'vitest'
import { startOrder, WORKER_NAME, workerNames } from '../../../bus/worker/names.ts'
import { WorkerRegistry } from '../../../bus/worker/registry.ts'

const NOW = 1_800_000_000_000
const beat = (name: string, ts: unknown, extra = {}) => ({
  topic: `system.${name}.health`,
  payload: { worker: name, ts, ...extra },
})

describe('the registry of workers', () => {
  const rowOf = (ts: unknown, receivedAt = NOW, now = NOW) => {
    const registry = new WorkerRegistry(['mutator'])
    expect(registry.heard(beat('mutator', ts), receivedAt)).toBe(true)
    return registry.rows(now)[0]
  }

  it('calls a worker well for three beats, and never well in advance', () => {
    expect(rowOf((NOW - 89_900) / 1000)?.status).toBe('ok')
    expect(rowOf((NOW - 90_000) / 1000)?.status).toBe('stale')
    const ahead = rowOf((NOW + 3_600_000) / 1000)
    expect(ahead).toMatchObject({ status: 'ok', seconds_since: 0, last_heartbeat_ts: NOW / 1000 })
    expect(rowOf((NOW + 3_600_000) / 1000, NOW, NOW + 90_000)?.status).toBe('stale')
  })

  it.each([['soon'], [null], [Number.POSITIVE_INFINITY], [undefined]])(
    'takes the time of arrival where a beat says %j',
    (ts) => {
      expect(rowOf(ts, NOW - 1000)).toMatchObject({ status: 'ok', seconds_since: 1 })
    },
  )

  it('keeps what a worker tells of itself', () => {
    const registry = new WorkerRegistry(['x'])
    registry.heard(beat('x', 1, { queue: 7 }), NOW)
    expect(registry.rows(NOW)[0]?.extra).toEqual({ queue: 7 })
  })

  it('has a row for each it knows and for nobody else', () => {
    const names = workerNames([])
    const registry = new WorkerRegistry(names)
    expect(registry.heard(beat('evil', NOW / 1000), NOW)).toBe(false)
    expect(registry.heard({ topic: 'system.log', payload: {} }, NOW)).toBe(false)
    expect(registry.rows(NOW).map(({ name }) => name)).toEqual(names)
    expect(registry.rows(NOW).every(({ status }) => status === 'unknown')).toBe(true)
  })
})

describe('names of workers', () => {
  it('are those of the sheet, then the pipelines of this host', () => {
    expect(workerNames([])).toHaveLength(17)
    expect(workerNames(['ingest', 'collector', '../x', 'correlate', 'ingest']).slice(17)).toEqual([
      'correlate',
      'ingest',
    ])
  })

  it('become units, so they hold nothing that a unit name may not', () => {
    for (const name of ['a b', 'A', '-x', 'x.service', 'é', '', 'x'.repeat(65), 'a\n']) {
      expect(WORKER_NAME.test(name), name).toBe(false)
    }
    expect(WORKER_NAME.test('campaign-clusterer')).toBe(true)
  })

  it('start with what the others lean on', () => {
    expect(startOrder(['ingest', 'api', 'bus'])).toEqual(['bus', 'api', 'ingest'])
    expect(startOrder(['ingest'])).toEqual(['ingest'])
    expect(startOrder(workerNames([]))).toEqual(
      (
        'bus api collector profiler sniffer prober mutator reconciler reuse-correlator enrich ' +
        'clusterer campaign-clusterer webhook orchestrator agent forwarder updater'
      ).split(' '),
    )
  })
})
