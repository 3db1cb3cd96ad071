/** The clusterers as they run on a host, in this process: rows in, tables and messages out. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { busResource } from '../../bus/bus.ts'
import type { Envelope } from '../../bus/envelope.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import type { Plan } from '../../engine/plan.ts'
import { startPipelines } from '../../engine/run.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, database } from '../../store/database.ts'
import { writeEvents } from '../../store/write_events.ts'
import { attackerEvent } from '../store/events.ts'

const root = new URL('../../', import.meta.url)

function planOf(name: string, env: Record<string, string>): Plan {
  const text = readFileSync(new URL(`pipelines/${name}.yaml`, root), 'utf8')
  const { plan, problems } = compilePipeline(text, `${name}.yaml`, { registry, env })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  return plan
}

/** What is told of one address. */
export interface Told {
  readonly ip: string
  readonly ja3?: string
  readonly hassh?: string
  readonly evidence?: object
}

/**
 * Starts both clusterers on a database. They look once an hour, so what they find in time they were
 * woken for.
 */
export async function liveClusterers(open: Database) {
  const stateDir = mkdtempSync(join(tmpdir(), 'decnet-clusterers-'))
  const bus = memoryBus()
  const use: ResourceUse = async ({ name }) => {
    if (name === busResource.name) return bus as never
    if (name === database.name) return open as never
    throw new Error(`no ${name}`)
  }
  const env = {
    DECNET_CLUSTERER_POLL_INTERVAL: '3600',
    DECNET_CAMPAIGN_CLUSTERER_POLL_INTERVAL: '3600',
  }
  const connection = await bus.connect('test')
  const messages: Envelope[] = []
  const heard = await connection.subscribe(['identity.>', 'campaign.>'])
  const listening = (async () => {
    for (;;) {
      const some = await heard.take(256)
      if (!some) return
      messages.push(...some)
    }
  })()
  const running = await startPipelines({
    plans: [planOf('clusterer', env), planOf('campaign-clusterer', env)],
    stateDir,
    use,
    log: silentLog,
    // The bus is the test's too.
    fedFromOutside: true,
  })
  let told = 0
  const wake = (topic: string) =>
    connection.publish({ id: String(told++), topic, type: 'test', ts: 1, payload: {} })
  return {
    /** All that was said so far, in order. */
    messages,
    wake,
    /** Writes rows as the profiler does, of one moment, and says so. */
    async tell(...rows: readonly Told[]) {
      told += 1
      const time = Date.UTC(2026, 2, 1) + told * 60_000
      const events = rows.map(({ ip, ja3, hassh, evidence = {} }, index) => {
        const payloads = [
          ...(ja3 === undefined ? [] : [{ fingerprint_type: 'ja3', ja3 }]),
          ...(hassh === undefined ? [] : [{ fingerprint_type: 'hassh_server', hash: hassh }]),
        ]
        return attackerEvent(told * 1000 + index, {
          attacker_ip: ip,
          attacker_uuid: attackerUuid(ip),
          asn: null,
          evidence,
          event_count: told,
          fingerprints: payloads.map((payload) => ({ bounty_type: 'fingerprint', payload })),
          updated_at: new Date(time).toISOString(),
        })
      })
      await writeEvents(open, 'attacker', events)
      await wake('attacker.scored')
    },
    async stop() {
      running.stop()
      const report = await running.done
      heard.finish()
      await listening
      await bus.close()
      rmSync(stateDir, { recursive: true, force: true })
      return report
    },
  }
}
