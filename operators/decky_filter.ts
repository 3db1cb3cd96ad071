/** Keeps the packets that go to or come from a decky, and says which. */
import { Type } from 'typebox'
import {
  type Context,
  type Data,
  defineOperator,
  duration,
  EngineError,
  type Event,
  type Json,
} from '../engine/index.ts'
import { parseIp } from '../protocols/ip_address.ts'
import { DuplicateFrames } from '../protocols/packet/duplicate_frames.ts'
import { type Packet, PROTOCOL, TCP_FLAG } from '../protocols/packet/packet.ts'
import { packetOf } from '../protocols/packet/packet_data.ts'
import { quote } from '../protocols/quote.ts'
import { type DeckyMarks, nameOfAddress } from '../protocols/sniffer/decky_packet.ts'
import { database as databaseResource } from '../store/database.ts'
import { fileDeckies } from '../store/decky_file.ts'
import { runningDeckies } from '../store/running_deckies.ts'

/** By address: what packets to it and from it are marked with. */
type Deckies = ReadonlyMap<string, { readonly to: DeckyMarks; readonly from: DeckyMarks }>

/** What the one question is called; the answer is the map as it is now. */
const QUESTION = 'deckies'

export const deckyFilter = defineOperator({
  type: 'decky_filter',
  summary: 'Passes packets to and from deckies, with the name of the decky; drops all others.',
  promise:
    'The map of deckies is looked at for each batch anew, a database at most once per `refresh`. ' +
    'With a journal each answer is kept for a replay; without one a replay asks the file again.',
  config: Type.Object({
    deckies: Type.Record(Type.String({ minLength: 2 }), Type.String({ minLength: 1 }), {
      default: {},
      maxProperties: 4096,
      description: 'Address to name, of deckies that are always there.',
    }),
    state_file: Type.Optional(
      Type.String({
        description:
          "The fleet's `decnet-state.json`; read again when it changes. One that is not there " +
          'names no decky; of one that cannot be read the last good content counts.',
      }),
    ),
    database: Type.Boolean({
      default: false,
      description: 'Also the running deckies of fleet, topologies and swarm in the database.',
    }),
    refresh: duration({ default: '60s', description: 'Time between looks into the database.' }),
    all: Type.Boolean({
      default: false,
      description:
        'Every address that is connected to counts as a decky, named after it. Who connects is ' +
        'told by SYNs, else the lower port is the one connected to.',
    }),
    drop_duplicates: Type.Boolean({
      default: true,
      description: 'Drop a packet that was captured twice within 2ms, as by two taps.',
    }),
  }),
  check: ({ deckies }) => {
    const bad = Object.keys(deckies).find((address) => parseIp(address) === undefined)
    if (bad !== undefined) throw new EngineError('CONFIG', `no IP address: ${quote(bad)}`)
  },
  examples: [
    {
      title: 'The local fleet',
      yaml: 'type: decky_filter\nstate_file: /var/lib/decnet/decnet-state.json',
    },
    {
      title: 'Two deckies by hand',
      yaml: 'type: decky_filter\ndeckies: { 192.0.2.10: decky-a, 192.0.2.11: decky-b }',
      run: {
        send: [
          {
            data: {
              link_type: 101,
              frame_b64:
                'RUoAPBorQAA5Bik1ywBxB8AAAgqcQAG7MDnUMQAAAACgAvrwfF0AAAIEBbQEAggKAAAwOQAAAAABAwMH',
              wire_length: 60,
            },
          },
        ],
        answers: { deckies: { '192.0.2.10': 'decky-a' } },
        expect: [{ topic: 'sniffer.packet', data: { decky: 'decky-a', from_decky: false } }],
      },
    },
  ],
  asksLocally: ({ database }) => !database,
  enrich: (config, context) => {
    const names = deckyMap(config)
    const current = currentDeckies(config, context)
    const duplicates = config.drop_duplicates ? new DuplicateFrames() : undefined
    return {
      key: () => QUESTION,
      ask: async (keys) =>
        keys.includes(QUESTION) ? new Map([[QUESTION, await current()]]) : new Map(),
      step(event, answer) {
        const packet = packetOf(event.data, event.time)
        if (!packet) return undefined
        const marks = marksOf(packet, names(answer), config.all)
        if (!marks) {
          context.explain?.('neither address is a decky')
          return undefined
        }
        if (duplicates?.isDuplicate(packet)) {
          context.count('duplicate_frame')
          context.explain?.('the same packet was captured within 2 ms')
          return undefined
        }
        return marked(event, marks)
      },
    }
  },
})

interface Config {
  readonly deckies: Readonly<Record<string, string>>
  readonly state_file?: string
  readonly database: boolean
  readonly refresh: number
}

/** The answer as a map, made once for all events of a batch. */
function deckyMap({ deckies }: Config): (answer: Json | undefined) => Deckies {
  const marks = (decky: string) => ({
    to: { decky, from_decky: false },
    from: { decky, from_decky: true },
  })
  const fixed = Object.entries(deckies).map(
    ([ip, name]) => [parseIp(ip) ?? ip, marks(name)] as const,
  )
  let from: Json | undefined
  let map: Deckies = new Map(fixed)
  return (answer) => {
    if (answer === from) return map
    const told = typeof answer === 'object' && answer !== null ? Object.entries(answer) : []
    map = new Map([...told.map(([ip, name]) => [ip, marks(String(name))] as const), ...fixed])
    from = answer
    return map
  }
}

function currentDeckies(config: Config, context: Context): () => Promise<Json> {
  const fromFile = fileDeckies(config.state_file, context.log)
  const fromDatabase = databaseDeckies(config, context)
  let known: [Json, Json] | undefined
  let joined: Json = {}
  // The same object as long as nothing changes: whoever gets it need not read it again.
  return async () => {
    const [file, rows] = [await fromFile(), await fromDatabase()]
    if (known?.[0] === file && known[1] === rows) return joined
    known = [file, rows]
    joined = { ...(file as object), ...(rows as object) }
    return joined
  }
}

function databaseDeckies(config: Config, context: Context): () => Promise<Json> {
  let next = Number.NEGATIVE_INFINITY
  let deckies: Json = {}
  return async () => {
    const now = context.clock.now()
    if (!config.database || now < next) return deckies
    deckies = await runningDeckies(await context.use(databaseResource))
    next = now + config.refresh
    return deckies
  }
}

function marksOf(packet: Packet, deckies: Deckies, all: boolean): DeckyMarks | undefined {
  const source = deckies.get(packet.src)
  const destination = deckies.get(packet.dst)
  if (destination !== undefined) {
    return source === undefined ? destination.to : { ...destination.to, internal: true }
  }
  if (source !== undefined) return source.from
  if (!all) return undefined
  const fromDecky = isAnswer(packet)
  return {
    decky: nameOfAddress(fromDecky ? packet.src : packet.dst),
    from_decky: fromDecky,
    guessed: true,
  }
}

/** Whether a packet comes from the end that was connected to. */
function isAnswer(packet: Packet): boolean {
  const { protocol, tcpFlags, srcPort, dstPort } = packet
  if (protocol === PROTOCOL.TCP && (tcpFlags & TCP_FLAG.SYN) !== 0) {
    return (tcpFlags & TCP_FLAG.ACK) !== 0
  }
  // Any order will do for one port at both ends, if only each end stays the same one.
  return srcPort < dstPort || (srcPort === dstPort && packet.src < packet.dst)
}

function marked(event: Event, marks: DeckyMarks): Event {
  const { id, time } = event
  const { decky, from_decky } = marks
  // Members by name and not by a second spread, which takes as long as all the rest.
  const data: Data = { ...event.data, decky, from_decky }
  if (marks.internal) data.internal = true
  if (marks.guessed) data.guessed = true
  return { id, topic: 'sniffer.packet', time, data }
}
