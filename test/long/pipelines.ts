/** Pipelines, captures and what runs leave behind, for the long tests. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { root } from '../cli/decnet.ts'

export const sample = join(root, 'samples/decnet.log.gz')

export const sampleLines = (): string[] =>
  gunzipSync(readFileSync(sample)).toString().trimEnd().split('\n')

/** How often something is tried, from `DECNET_LONG_<name>`. */
export const times = (name: string, usual: number): number =>
  Number(process.env[`DECNET_LONG_${name}`] ?? usual)

/**
 * A pipeline as `ingest`, over one file that is read to its end.
 * @param rowsFrom `parsed`: every record is a row, rate limited or not
 */
export const ingestFile = (path: string, rowsFrom = 'limited'): string => `
name: ingest
description: The shipped ingest pipeline over a file that ends
sources:
  lines: { type: syslog_file, path: ${JSON.stringify(path)}, follow: false }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  limited:
    type: dedup
    inputs: [parsed]
    key: [data.attacker_ip, data.decky, data.service, data.event_type]
    window: 1s
    when: data.event_type in ["connect", "disconnect", "connection"]
    max_keys: 10000
    ttl: 60s
  creds: { type: credential, inputs: [limited] }
sinks:
  rows: { type: repo, inputs: [${rowsFrom}], entity: log }
  secrets: { type: repo, inputs: [creds], entity: credential }
settings:
  batch_size: 64
  credit: 512
  checkpoint: { interval: 100ms }
`

/**
 * What `ingest` and `correlate` do, in one pipeline over one file that is read to its end, with
 * windows beside them: rows, timers, and files that must be cut back after a crash.
 * @param files folder of its three files
 */
export const correlatedFile = (path: string, files: string): string =>
  ingestFile(path).replace(
    'sinks:\n',
    `  found: { type: correlate, inputs: [limited], session_ttl: 600s, max_keys: 20000 }
  busy:
    type: window
    inputs: [parsed]
    kind: tumbling
    size: 60s
    key: [data.attacker_ip]
    aggregate: { events: { op: count } }
sinks:
  traversals: { type: repo, inputs: [found.traversals], entity: traversal }
  sessions: { type: ndjson_file, inputs: [found.sessions], path: ${join(files, 'sessions.ndjson')} }
  windows: { type: ndjson_file, inputs: [busy], path: ${join(files, 'windows.ndjson')} }
  records: { type: ndjson_file, inputs: [limited], path: ${join(files, 'records.ndjson')} }
`,
  )

/** SHA-256 of each sink file of a replay, by name; `summary.json` tells the time and is left out. */
export function fingerprints(dir: string): Record<string, string> {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names
      .filter((name) => name.endsWith('.ndjson'))
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(dir, name)))
          .digest('hex'),
      ]),
  )
}

interface NodeCounts {
  in: number
  out: number
  filtered: number
  dead_lettered: number
  errors: number
}
export interface Summary {
  pipelines: Record<
    string,
    { sources: Record<string, { read: number }>; nodes: Record<string, NodeCounts> }
  >
}

export const summaryOf = (dir: string): Summary =>
  JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'))

/** Events of a sink file. */
export const eventsOf = (dir: string, name: string): { data: Record<string, unknown> }[] =>
  readFileSync(join(dir, `${name}.ndjson`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
