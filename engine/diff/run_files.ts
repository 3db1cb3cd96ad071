/** The files of a replay that hold events. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LoggedRun } from './edge_log_head.ts'

export const sinkFile = ({ dir, head }: LoggedRun, sink: string): string =>
  join(dir, `${head.pipeline}.${sink}.ndjson`)

export const deadLetterFile = ({ dir, head }: LoggedRun): string =>
  join(dir, 'dead_letters', `${head.pipeline}.ndjson`)

/** @returns those that are there */
export function runFiles(run: LoggedRun): string[] {
  const sinks = run.head.nodes.filter(({ section }) => section === 'sinks')
  const files = [...sinks.map(({ id }) => sinkFile(run, id)), deadLetterFile(run)]
  return files.filter((file) => existsSync(file))
}
