/** Reads the heads of the edge logs that a replay left in its directory. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EdgeLogHead, edgeLogFile } from '../edge_log.ts'
import { EngineError, toFailure } from '../errors.ts'

/** One pipeline of one finished replay. */
export interface LoggedRun {
  readonly dir: string
  readonly head: EdgeLogHead
}

/**
 * @param dir what `replay --sink` was given
 * @returns its pipelines, in the order they were given
 * @throws {EngineError} `NOT_A_REPLAY` when there is no finished replay in it
 */
export function loggedRuns(dir: string): LoggedRun[] {
  const summary = join(dir, 'summary.json')
  if (!existsSync(summary)) {
    throw notAReplay(`there is no finished replay in ${dir}: make one with replay --sink ${dir}`)
  }
  const { pipelines = {} } = readJson(summary) as { pipelines?: object }
  return Object.keys(pipelines).map((pipeline) => {
    const file = edgeLogFile(dir, pipeline)
    if (!existsSync(file)) throw notAReplay(`${file} is missing: replay once more into ${dir}`)
    const head = readJson(file) as EdgeLogHead
    if (head.version !== 2) throw notAReplay(`${file} was written by another version of decnet`)
    return { dir, head }
  })
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new EngineError('NOT_A_REPLAY', `cannot read ${file}: ${toFailure(cause).message}`, {
      cause,
    })
  }
}

const notAReplay = (message: string): EngineError => new EngineError('NOT_A_REPLAY', message)
