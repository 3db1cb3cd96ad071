/** What a search over logs asks for, as conditions on their table. */
import { parseIp } from '../../protocols/ip_address.ts'
import type { Dialect } from '../insert.ts'
import { allOf, contains, equals, type Where } from './page.ts'

/** Words of one search that are heeded: each is one more look at every row. */
const MOST_WORDS = 16

const COLUMNS: Readonly<Record<string, string>> = {
  decky: 'decky',
  service: 'service',
  event: 'event_type',
  attacker: 'attacker_ip',
  'attacker-ip': 'attacker_ip',
  attacker_ip: 'attacker_ip',
}
const ANYWHERE = ['raw_line', 'decky', 'service', 'attacker_ip']

/**
 * Words that must all be true of a row: `decky:web-01` of a column, `other:value` of a key in its
 * fields, and anything else of its text. Quotes keep blanks together. An address is a word, though
 * it may hold colons.
 * @see spec/api-and-sse.md section 3.4
 */
export const searchLogs = (search: string, dialect: Dialect): Where =>
  allOf(...words(search).map((word) => conditionOf(word, dialect)))

function conditionOf(word: string, dialect: Dialect): Where | undefined {
  const colon = word.indexOf(':')
  if (colon <= 0 || parseIp(word) !== undefined) return contains(ANYWHERE, word)
  const key = word.slice(0, colon)
  const value = word.slice(colon + 1)
  const column = Object.hasOwn(COLUMNS, key) ? COLUMNS[key] : undefined
  if (column !== undefined) return equals(column, value)
  const field = key.replace(/[^A-Za-z0-9_]/g, '')
  if (field === '') return contains(ANYWHERE, word)
  // Rows that somebody else has written may hold what is no JSON.
  const read =
    dialect === 'sqlite'
      ? 'cast(json_extract(fields, ?) as text)'
      : 'cast(json_unquote(json_extract(fields, ?)) as char)'
  return {
    sql: `case when json_valid(fields) then ${read} = ? else 0 end`,
    values: [`$."${field}"`, value],
  }
}

/** As a shell would cut them; a quote that is left open holds all that follows. */
function words(search: string): string[] {
  const found: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < search.length && found.length < MOST_WORDS; at += 1) {
    const char = search[at] as string
    if (char === '\\' && quote !== "'" && at + 1 < search.length) {
      at += 1
      word = (word ?? '') + search[at]
    } else if (quote !== '') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word) found.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (word && found.length < MOST_WORDS) found.push(word)
  return found
}
