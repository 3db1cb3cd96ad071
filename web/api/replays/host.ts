/** What it takes to replay captures on a host, and how a replay is asked for. */
import { join } from 'node:path'
import type { Clock, Context } from '../../../engine/index.ts'
import type { CapturePlace } from './captures.ts'
import type { RunLimits } from './run_process.ts'

/** A pipeline as far as a replay has to know it. */
export interface ReplayPipeline {
  readonly name: string
  readonly file: string
  readonly nodes: readonly string[]
  /** ports that are not read by a sink, `node` or `node.port`: what leaves them is written down */
  readonly taps: readonly string[]
}

export interface ReplayHost {
  /** of the runs; made when it is needed */
  readonly folder: string
  readonly captures: CapturePlace
  readonly pipelines: () => readonly ReplayPipeline[]
  /** program and first arguments of the CLI */
  readonly cli: readonly string[]
  /** makes a finished run, the folder named last, readable by time */
  readonly indexer: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** runs that are kept; of a new one the oldest has to make room */
  readonly kept: number
  readonly limits: RunLimits
  readonly clock: Clock
  readonly log: Context['log']
}

/** Pipelines of one replay. */
export const MOST_PIPELINES = 16

interface Asked {
  readonly capture: string
  /** folder of the run */
  readonly dir: string
  readonly pipelines: readonly ReplayPipeline[]
}

/** @param cli program and first arguments @returns program and arguments, none of which a shell reads */
export const replayCommand = (
  cli: readonly string[],
  { capture, dir, pipelines }: Asked,
): readonly string[] => [
  ...[...cli, 'pipeline', 'replay', ...pipelines.map(({ file }) => file)],
  ...['--capture', capture, '--sink', dir, '--sink', `db=sqlite:${join(dir, 'rows.db')}`],
  ...['--progress', 'json', ...tapWords(pipelines)],
]

/** Of a pipeline that is called like a node no tap could be told from one of the node. */
function tapWords(pipelines: readonly ReplayPipeline[]): string[] {
  const nodes = new Set(pipelines.flatMap((one) => one.nodes))
  return pipelines
    .filter(({ name }) => !nodes.has(name))
    .flatMap(({ name, taps }) => taps.flatMap((tap) => ['--tap', `${name}.${tap}`]))
}
