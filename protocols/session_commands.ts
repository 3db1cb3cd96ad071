/** Shell commands of one attacker, held until a session that they belong to ends. */
import { analysisFields } from './command_fields.ts'
import { isoTime } from './iso_time.ts'
import type { RecordData } from './record_data.ts'
import { insertByTime } from './traversal.ts'

/** One command, cut to what is kept. `t` is event time, ms. JSON. */
export type Command = {
  t: number
  decky: string
  service: string
  text: string
  uid?: string
  user?: string
  src?: string
  pwd?: string
}

/** Commands held for one attacker, at most, and characters of each: a paste is cut. */
const MAX_COMMANDS = 500
const MAX_TEXT = 1024
const MAX_FIELD = 128
/** The longest session that is believed, seconds; more would be a forged number. */
const MAX_DURATION = 1e9

/** @returns the command a record tells of, or undefined where it tells of none */
export function commandOf(t: number, record: RecordData): Command | undefined {
  if (record.event_type !== 'command') return undefined
  const { decky, service } = record
  const msg = record.msg ?? ''
  const fields = analysisFields(record)
  const command: Command = {
    t,
    decky,
    service,
    text: cut(fields.command, MAX_TEXT) ?? cut(fields.cmd, MAX_TEXT) ?? msg.slice(0, MAX_TEXT),
  }
  for (const name of ['uid', 'user', 'src', 'pwd'] as const) {
    const value = cut(fields[name], MAX_FIELD)
    if (value !== undefined) command[name] = value
  }
  return command
}

const cut = (value: unknown, most: number): string | undefined =>
  typeof value === 'string' ? value.slice(0, most) : undefined

/** Adds a command where its time puts it. @returns how many of the oldest had to go */
export const holdCommand = (held: Command[], command: Command): number =>
  insertByTime(held, command, MAX_COMMANDS)

/**
 * Lets go of the commands before `time` (ms). They are held by time, so it looks at no more than
 * go, and one.
 */
export function dropBefore(held: Command[], time: number): void {
  let expired = 0
  while (expired < held.length && (held[expired] as Command).t < time) expired += 1
  if (expired > 0) held.splice(0, expired)
}

/**
 * What is told of a session that ended: its commands are those held of the same decky, from its
 * start to its end. No terminal recording has a path of its own yet, so `shard_path` is null unless
 * the record tells one.
 * @param ended event time of the record, ms
 * @see spec/ingest-and-profile.md section 2.2
 */
export function describeSession(ended: number, record: RecordData, held: readonly Command[]) {
  const { attacker_ip, decky, fields } = record
  const session = cut(fields.sid, MAX_FIELD) ?? null
  const seconds = durationSeconds(fields.duration_s)
  const started = ended - seconds * 1000
  const commands = held.flatMap(({ t, text, ...rest }, index) => {
    if (rest.decky !== decky || t < started || t > ended) return []
    const ts = isoTime(t)
    const id = session === null ? `${attacker_ip}-${ts}` : `${session}#${index}`
    return [{ id, command_text: text, ts, ...rest }]
  })
  return {
    session_id: session,
    attacker_uuid: null,
    attacker_ip,
    decky_id: decky,
    service: cut(fields.service, MAX_FIELD) ?? record.service,
    ended_at: isoTime(ended),
    duration_s: seconds,
    commands,
    shard_path: cut(fields.shard_path, MAX_TEXT) ?? null,
  }
}

/** 0 where the text is no length of time. */
function durationSeconds(text: unknown): number {
  if (typeof text !== 'string' || !/^\d{1,12}(?:\.\d{1,9})?$/.test(text)) return 0
  const seconds = Number(text)
  return seconds <= MAX_DURATION ? seconds : 0
}
