/** A log record as analysis takes it, whoever stored it or sent it. */

/** What a service tells besides; any of it may be missing, or of another type than it should be. */
export type Fields = Readonly<Record<string, unknown>>

/** `data` of a row of the table logs, or of a parsed line. */
export interface RecordData {
  readonly attacker_ip: string
  readonly decky: string
  readonly service: string
  readonly event_type: string
  readonly fields: Fields
  readonly msg?: string | null | undefined
}

/** @returns the text in a field; undefined where there is none, or something else */
export function fieldText(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return typeof value === 'string' ? value : undefined
}
