/** What `replay --break` has found. */
import type { BreakHit } from '../engine/replay_break.ts'
import { eventTime } from '../protocols/iso_time.ts'
import { safeJson } from './safe_json.ts'

/** @returns where it stopped, and the event as JSON */
export function breakText(hit: BreakHit | undefined): string {
  if (!hit) return 'no event matched --break\n'
  const { pipeline, port, event, reading } = hit
  return (
    `stopped at ${pipeline}.${port}, ${eventTime(event.time)}, ${whileReading(reading)}\n` +
    `${safeJson(event)}\n`
  )
}

function whileReading(reading: BreakHit['reading']): string {
  if (!reading) return 'at the end of input'
  const { source, file, at = 0, journal } = reading
  if (file === undefined) return `at a tick of ${source.id}`
  const place = journal ? `item ${at}` : `byte ${at}`
  return `while ${source.id} read ${file} at ${place}`
}
