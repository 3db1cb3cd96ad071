/** What analysis sees of a shell command line, whose pairs stand in MSG. */
import type { Fields, RecordData } from './record_data.ts'

const PAIR = /^(uid|user|src)=(\S*)/

/**
 * Adds `uid`, `user`, `src`, `pwd` and `command` to the fields of a `command` record whose MSG is
 * `CMD k=v … cmd=REST`; each only where it is absent. Everything after the first `cmd=` is the
 * command; what stands between `pwd=` and it is one path, blanks and all.
 * @returns the fields themselves for any other record
 */
export function analysisFields(record: Pick<RecordData, 'event_type' | 'fields' | 'msg'>): Fields {
  const { event_type, fields, msg } = record
  if (event_type !== 'command' || !msg?.startsWith('CMD ')) return fields
  const found: Record<string, string> = {}
  const [pairs, command] = splitAt(msg.slice('CMD'.length), ' cmd=')
  const [head, pwd] = splitAt(pairs, ' pwd=')
  for (const word of head.split(' ')) {
    const [, key, value] = PAIR.exec(word) ?? []
    if (key !== undefined && value !== undefined) found[key] ??= value
  }
  if (pwd !== undefined) found.pwd = pwd.trimEnd()
  if (command !== undefined) found.command = command
  return { ...found, ...fields }
}

function splitAt(text: string, separator: string): [head: string, tail: string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}
