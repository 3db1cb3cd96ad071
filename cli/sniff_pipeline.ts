/** The pipeline behind `decnet sniff`: the sniffer's operators, printing instead of publishing. */
import { Type } from 'typebox'
import { type AnySink, makeRegistry, type Registry } from '../engine/define.ts'
import { defineSink, type Event } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { streamWriter, visible } from '../sinks/stdout.ts'
import { registry } from './registry.ts'

export interface SniffOptions {
  /** what the `pcap` source reads: `{ file }`, `{ interface }` or `{ stdin: true }` and more */
  readonly capture: Readonly<Record<string, unknown>>
  /** name by address; none: every destination is a decky */
  readonly deckies: Readonly<Record<string, string>>
  readonly all: boolean
  readonly p0fFile: string | undefined
  /** a JSON object a line, instead of text for people */
  readonly json: boolean
  /** repeats are dropped for so long, e.g. `300s`; undefined: none are */
  readonly dedup: string | undefined
}

/** @returns text of a pipeline file: JSON, which is YAML */
export function sniffPipeline(options: SniffOptions): string {
  const { capture, deckies, all, p0fFile, json, dedup } = options
  const found = ['classes', 'flows', 'hellos', 'certs', 'banners']
  const keys = [
    'topic',
    ...['src_ip', 'os_guess', 'options_sig', 'ipid_class', 'isn_class', 'ja3', 'ja3s', 'ja4'],
    ...['subject_cn', 'issuer', 'ssh_version', 'hassh', 'hassh_server'],
  ]
  const fresh = {
    type: 'dedup',
    inputs: found,
    window: dedup,
    key: keys.map((name) => (name === 'topic' ? name : `data.?${name}.orValue("")`)),
  }
  return JSON.stringify({
    name: 'sniff',
    description: 'What decnet sniff runs',
    sources: { packets: { type: 'pcap', ...capture } },
    operators: {
      deckies: { type: 'decky_filter', inputs: ['packets'], deckies, all, drop_duplicates: false },
      syns: { type: 'tcp_syn', inputs: ['deckies'], ...(p0fFile ? { p0f_fp: p0fFile } : {}) },
      classes: { type: 'sequence_class', inputs: ['syns'], ttl: '1h' },
      flows: { type: 'tcp_flow', inputs: ['deckies'] },
      hellos: { type: 'tls_hello', inputs: ['deckies'], max_keys: 16_384, ttl: '60s' },
      certs: { type: 'tls_cert', inputs: ['deckies'], own: true, max_keys: 4096, ttl: '60s' },
      banners: { type: 'ssh_banner', inputs: ['deckies'], own: true, max_keys: 16_384, ttl: '60s' },
      ...(dedup === undefined ? {} : { fresh }),
    },
    sinks: { printed: { type: 'printed', inputs: dedup === undefined ? found : ['fresh'], json } },
  })
}

/** Not among the components of pipelines: only this command has it. */
const printed = defineSink({
  type: 'printed',
  summary: 'Prints what the sniffer finds.',
  promise: 'At least once.',
  effect: 'at_least_once',
  internal: true,
  config: Type.Object({
    json: Type.Boolean({ default: false, description: 'A JSON object a line.' }),
  }),
  examples: [],
  open: ({ json }) => streamWriter(process.stdout, json ? jsonLine : textLine),
})

export const sniffRegistry: Registry = makeRegistry([
  ...registry.values(),
  printed as unknown as AnySink,
])

const jsonLine = ({ topic, time, data }: Event): string => {
  const line = JSON.stringify({ topic, time, data })
  return process.stdout.isTTY ? visible(line) : line
}

/** Members of data that stand in front, in the order of the line. */
const IN_FRONT = new Set(['src_ip', 'src_port', 'dst_ip', 'dst_port', 'decky'])
/** Members that repeat others, or are too long to read. */
const LEFT_OUT = new Set(['ja3_raw', 'ja3s_raw', 'hassh_raw', 'hassh_server_raw', 'raw_ciphers'])
  .add('raw_extensions')
  .add('kex_algorithms')
const MOST_SHOWN = 200

function textLine({ topic, time, data }: Event): string {
  const { src_ip, src_port, dst_ip, dst_port } = data
  const parts = Object.entries(data).flatMap(([name, value]) =>
    IN_FRONT.has(name) || LEFT_OUT.has(name) || value === ''
      ? []
      : [`${name}=${quote(String(value), MOST_SHOWN)}`],
  )
  const kind = topic.slice(topic.lastIndexOf('.') + 1)
  const when = new Date(time).toISOString().slice(0, 23)
  return visible(`${when} ${kind} ${src_ip}:${src_port} > ${dst_ip}:${dst_port} ${parts.join(' ')}`)
}
