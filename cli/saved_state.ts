/** Opens the saved state of the pipeline that a command line names. */
import type { StateReader } from '../engine/state_reader.ts'
import { pipelineName } from './pipeline_name.ts'
import { stateDir } from './state_dir.ts'

export interface Asked {
  readonly pipeline: string
  readonly stateDir: string | undefined
  /** only for dropping dead letters */
  readonly write?: boolean
}

/** Opens the state, does `work` and closes it. @throws {EngineError} as `StateReader` does */
export async function withState<T>(
  { pipeline, stateDir: asked, write = false }: Asked,
  work: (reader: StateReader) => T,
): Promise<T> {
  const dir = stateDir(asked, process.env)
  const name = pipelineName(pipeline, dir)
  // On demand: SQLite is nothing the other commands should pay for at their start.
  const { StateReader: Reader } = await import('../engine/state_reader.ts')
  const reader = new Reader(dir, name, { write })
  try {
    return work(reader)
  } finally {
    reader.close()
  }
}

export const STATE_DIR_OPTION = { description: 'where the pipeline keeps its state' }
