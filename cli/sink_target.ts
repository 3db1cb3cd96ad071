/** The values of `--sink`. */
import { UsageError } from './usage_error.ts'

export interface SinkTargets {
  /** Folder for the files of every sink. */
  readonly directory: string | undefined
  /** URL of the database to write to; `''` for the one the environment names. */
  readonly database: string | undefined
}

const DATABASE = 'db='

/** @throws {UsageError} on two directories or two databases */
export function parseSinks(texts: readonly string[]): SinkTargets {
  const databases = texts.filter((text) => text.startsWith(DATABASE))
  const directories = texts.filter((text) => !text.startsWith(DATABASE))
  if (directories.length > 1) throw new UsageError('--sink takes one directory.')
  if (databases.length > 1) throw new UsageError('--sink takes one database.')
  return { directory: directories[0], database: databases[0]?.slice(DATABASE.length) }
}
