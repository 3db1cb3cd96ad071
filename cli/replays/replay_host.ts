/** What the API needs of this host to replay captures: folders, pipelines, programs and limits. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { liveClock } from '../../engine/clock.ts'
import type { Logger } from '../../engine/define.ts'
import { FAILPOINT_VARIABLE } from '../../engine/failpoint.ts'
import type { Plan, PlanEdge } from '../../engine/plan.ts'
import { portKey } from '../../engine/plan_edges.ts'
import type { ReplayHost, ReplayPipeline } from '../../web/api/replays/host.ts'
import { integerSetting } from '../api_settings.ts'
import { installRoot } from '../install.ts'
import { checkFile } from '../load_plans.ts'
import { allPipelines } from '../pipeline_files.ts'
import { captureKind } from './capture_kind.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Of the API alone: a replay signs no tokens, tells systemd nothing and knows no live database. */
const NOT_HANDED_ON = /^(?:DECNET_(?:JWT_|ADMIN_|DB_)|NOTIFY_SOCKET$|WATCHDOG_)/

const MIB = 2 ** 20

/** @throws {EngineError} `SETTINGS` */
export function replayHost(env: Environment, stateDir: string, log: Logger): ReplayHost {
  const sample = join(installRoot, 'samples/decnet.log.gz')
  return {
    folder: resolve(env.DECNET_REPLAYS_DIR || join(stateDir, 'replays')),
    captures: {
      folder: resolve(env.DECNET_CAPTURES_DIR || join(stateDir, 'captures')),
      sample: existsSync(sample) ? sample : undefined,
      kindOf: (path) => captureKind(path, new Set(allPipelines().keys())),
    },
    pipelines: replayPipelines,
    cli: [join(installRoot, 'bin/decnet')],
    indexer: [
      ...[process.execPath, '--disable-warning=ExperimentalWarning'],
      fileURLToPath(new URL('index_replay.ts', import.meta.url)),
    ],
    env: Object.fromEntries(
      Object.entries(env).filter(
        ([name]) => !NOT_HANDED_ON.test(name) && name !== FAILPOINT_VARIABLE,
      ),
    ),
    kept: integerSetting('DECNET_REPLAYS_KEPT', env, 10, 1000),
    limits: {
      bytes: integerSetting('DECNET_REPLAY_MAX_MB', env, 1024, 1_000_000) * MIB,
      ms: integerSetting('DECNET_REPLAY_MAX_MINUTES', env, 30, 100_000) * 60_000,
    },
    clock: liveClock,
    log,
  }
}

/** Those with errors are left out: `pipeline validate` says what is wrong with them. */
function replayPipelines(): ReplayPipeline[] {
  return [...allPipelines()].flatMap(([, file]) => {
    const { plan } = checkFile(file)
    if (!plan) return []
    const nodes = plan.nodes.map(({ id }) => id)
    return { name: plan.name, file: resolve(file), nodes, taps: tapsOf(plan) }
  })
}

/** They hand on what they read as it is, so its text stands where they read it. */
const PASSING = new Set(['filter', 'decky_filter', 'dedup', 'throttle', 'route'])

/** What a sink is given stands in its file; of all else the texts are written down by taps. */
function tapsOf({ nodes }: Plan): string[] {
  const keys = (edges: readonly PlanEdge[]) => edges.map(({ from, port }) => portKey(from, port))
  const readBy = (section: 'operators' | 'sinks') =>
    nodes.flatMap((node) => (node.section === section ? keys(node.inputs) : []))
  const kept = new Set(readBy('sinks'))
  const passing = nodes.filter(({ component }) => PASSING.has(component.type)).map(({ id }) => id)
  return [...new Set(readBy('operators'))].filter(
    (key) => !kept.has(key) && !passing.includes(key.split('.')[0] ?? ''),
  )
}
