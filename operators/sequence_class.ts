/** How each source numbers its packets and connections, told from its last eight SYNs. */
import { Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'
import {
  appendSample,
  classify,
  IP_ID_MODULUS,
  ISN_MODULUS,
} from '../protocols/fingerprint/sequence_class.ts'

/** One source address. */
interface Source {
  /** oldest first */
  ip_ids: number[]
  isns: number[]
  /** SYNs of the last minute, oldest first: a digest of each and its time, in turns */
  recent: number[]
}

/** How long a SYN can come again, ms: stacks give up after about that long. */
const RETRANSMITS_FOR = 60_000
/** SYNs of a source that are remembered for that. */
const MOST_RECENT = 64

export const sequenceClass = defineOperator({
  type: 'sequence_class',
  summary: 'Adds to SYN events how their source chooses IP-IDs and initial sequence numbers.',
  promise:
    'Exact across restarts for the sources it still holds: a rolling window of 8 SYNs each, over ' +
    'all deckies and ports. A source that is forgotten (`max_keys`, `ttl`) starts anew as unknown.',
  config: Type.Object({
    wrap_aware: Type.Boolean({
      default: true,
      description: 'A counter that starts over after its highest number is still incremental.',
    }),
    skip_retransmit: Type.Boolean({
      default: true,
      description:
        'A SYN with ports, addresses and sequence number of one of the last 64 of its source ' +
        'within 60s is the same SYN, and no sample.',
    }),
  }),
  input: Type.Object({
    src_ip: Type.String(),
    src_port: Type.String(),
    dst_ip: Type.String(),
    dst_port: Type.String(),
    ip_version: Type.String(),
    ip_id: Type.String(),
    isn: Type.String(),
  }),
  state: Type.Object({
    ip_ids: Type.Array(Type.Number(), { description: 'Up to 8, oldest first.' }),
    isns: Type.Array(Type.Number(), { description: 'Up to 8, oldest first.' }),
    recent: Type.Array(Type.Number(), { description: 'SYNs that may come again, with times.' }),
  }),
  examples: [
    {
      title: 'Four SYNs that count up',
      yaml: 'type: sequence_class\nmax_keys: 65536\nttl: 1h',
      run: {
        send: [1, 2, 3, 4].map((n) => ({
          time: n * 1000,
          data: {
            ...{ src_ip: '198.51.100.7', src_port: `4000${n}`, dst_ip: '192.0.2.10' },
            ...{ dst_port: '22', ip_version: '4', ip_id: String(n), isn: '77' },
          },
        })),
        expect: [
          { data: { ipid_class: 'unknown', ipid_samples: '1', isn_class: 'unknown' } },
          { data: { ipid_class: 'unknown', ipid_samples: '2', isn_class: 'unknown' } },
          { data: { ipid_class: 'unknown', ipid_samples: '3', isn_class: 'unknown' } },
          { data: { ipid_class: 'incremental', ipid_samples: '4', isn_class: 'constant' } },
        ],
      },
    },
  ],
  keyed: ({ wrap_aware, skip_retransmit }) => {
    const ofIpId = wrap_aware ? { modulus: IP_ID_MODULUS } : {}
    const ofIsn = wrap_aware ? { modulus: ISN_MODULUS } : {}
    return {
      key: (event) => event.data.src_ip,
      init: (): Source => ({ ip_ids: [], isns: [], recent: [] }),
      step(source: Source, event) {
        const { data } = event
        if (!(skip_retransmit && isRepeat(source, data, event.time))) {
          // IPv6 has no IP-ID.
          if (data.ip_version !== '6') {
            source.ip_ids = appendSample(source.ip_ids, Number(data.ip_id))
          }
          source.isns = appendSample(source.isns, Number(data.isn))
        }
        const { id, topic, time } = event
        return {
          id,
          topic,
          time,
          data: {
            ...data,
            ipid_class: classify(source.ip_ids, ofIpId),
            ipid_samples: String(source.ip_ids.length),
            isn_class: classify(source.isns, ofIsn),
            isn_samples: String(source.isns.length),
          },
        }
      },
    }
  },
})

interface Syn {
  readonly src_port: string
  readonly dst_ip: string
  readonly dst_port: string
  readonly isn: string
}

/** Whether this SYN has been seen; it has from now on. */
function isRepeat(source: Source, syn: Syn, time: number): boolean {
  const digest = digestOf(syn)
  const { recent } = source
  const end = recent.length
  for (let at = Math.max(0, end - 2 * MOST_RECENT); at < end; at += 2) {
    if (recent[at] === digest && time - (recent[at + 1] as number) <= RETRANSMITS_FOR) return true
  }
  if (end === 0) source.recent = [digest, time]
  else recent.push(digest, time)
  // Cut now and then, not at each SYN.
  if (recent.length >= 3 * MOST_RECENT) source.recent = recent.slice(-2 * MOST_RECENT)
  return false
}

/**
 * 53 bits of two FNV-1a hashes (isthe.com/chongo/tech/comp/fnv) over the texts with a blank between
 * them: who collides on purpose hides a SYN.
 */
function digestOf(syn: Syn): number {
  const low = hashOf(syn, 0x811c9dc5, 0x01000193)
  const high = hashOf(syn, 0x01000193, 0x85ebca6b)
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}

/** Part after part, so that no text of all of them has to be made for each SYN. */
function hashOf({ src_port, dst_ip, dst_port, isn }: Syn, start: number, prime: number): number {
  let hash = hashed(start, src_port, prime)
  hash = hashed(Math.imul(hash ^ BLANK, prime), dst_ip, prime)
  hash = hashed(Math.imul(hash ^ BLANK, prime), dst_port, prime)
  return hashed(Math.imul(hash ^ BLANK, prime), isn, prime)
}

const BLANK = 0x20

function hashed(start: number, text: string, prime: number): number {
  let hash = start
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), prime)
  return hash
}
