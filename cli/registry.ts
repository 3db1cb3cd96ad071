/** Every component there is. A test holds this list against the three folders. */
import { makeRegistry, type Registry } from '../engine/define.ts'
import { credential } from '../operators/credential.ts'
import { dedup } from '../operators/dedup.ts'
import { filter } from '../operators/filter.ts'
import { map } from '../operators/map.ts'
import { parseCowrie } from '../operators/parse_cowrie.ts'
import { parseSyslog } from '../operators/parse_syslog.ts'
import { route } from '../operators/route.ts'
import { bus as busSink } from '../sinks/bus.ts'
import { ndjsonFile as ndjsonFileSink } from '../sinks/ndjson_file.ts'
import { nullSink } from '../sinks/null.ts'
import { repo } from '../sinks/repo.ts'
import { stdout } from '../sinks/stdout.ts'
import { bus as busSource } from '../sources/bus.ts'
import { ndjsonFile as ndjsonFileSource } from '../sources/ndjson_file.ts'
import { stdin } from '../sources/stdin.ts'
import { syslog } from '../sources/syslog.ts'
import { syslogFile } from '../sources/syslog_file.ts'

export const registry: Registry = makeRegistry([
  busSource,
  ndjsonFileSource,
  stdin,
  syslog,
  syslogFile,
  credential,
  dedup,
  filter,
  map,
  parseCowrie,
  parseSyslog,
  route,
  busSink,
  ndjsonFileSink,
  nullSink,
  repo,
  stdout,
])
