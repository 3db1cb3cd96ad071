/** A signature file of p0f v3 (`p0f.fp`), read into what `matchObservation` looks things up in. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'
import { printLayout } from './p0f_layout.ts'
import { layoutKey, type P0fLabel, type P0fRule, parseLabel, ruleOf } from './p0f_rule.ts'
import { parseSignature } from './p0f_signature.ts'

/** Rules in the order of the file, by `layoutKey`. */
export type P0fRules = ReadonlyMap<string, readonly P0fRule[]>

export interface P0fProblem {
  /** 1-based */
  readonly line: number
  readonly message: string
}

export interface P0fDatabase {
  /** for SYNs, section `[tcp:request]` */
  readonly request: P0fRules
  /** for SYN-ACKs, section `[tcp:response]` */
  readonly response: P0fRules
  /** link type by MTU, section `[mtu]` */
  readonly links: ReadonlyMap<number, string>
  /** lines of `sig` that are used */
  readonly signatures: number
  /** lines that are not used, and why; the first 100 */
  readonly problems: readonly P0fProblem[]
}

/** Characters; p0f's own file has 36 thousand. */
const LARGEST_FILE = 4 * 1024 * 1024
const MOST_SIGNATURES = 20_000
const MOST_PROBLEMS = 100

type Section = 'request' | 'response' | 'mtu' | 'none' | 'skipped'

const SECTIONS = new Map<string, Section>([
  ['[tcp:request]', 'request'],
  ['[tcp:response]', 'response'],
  ['[mtu]', 'mtu'],
])

/** Kept while a file is read. */
interface Reading {
  readonly request: Map<string, P0fRule[]>
  readonly response: Map<string, P0fRule[]>
  readonly links: Map<number, string>
  readonly problems: P0fProblem[]
  section: Section
  label: P0fLabel | undefined
  link: string | undefined
  signatures: number
}

/**
 * Reads the sections for TCP and MTU; other sections, `classes`, `ua_os`, `sys` and comments (`;`)
 * are skipped. A line that is wrong is left out and told in `problems`; nothing throws.
 * @see p0f README, section on the database
 */
export function readP0fDatabase(text: string): P0fDatabase {
  const reading: Reading = {
    request: new Map(),
    response: new Map(),
    links: new Map(),
    problems: [],
    section: 'none',
    label: undefined,
    link: undefined,
    signatures: 0,
  }
  if (text.length > LARGEST_FILE) {
    note(reading, 1, `the file is over ${LARGEST_FILE} characters`)
    return reading
  }
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const content = raw.trim()
    if (content === '' || content.startsWith(';')) continue
    try {
      readLine(reading, content, index + 1)
    } catch (error) {
      if (!(error instanceof P0fError)) throw error
      note(reading, index + 1, error.message)
    }
  }
  return reading
}

function note(reading: Reading, line: number, message: string): void {
  if (reading.problems.length < MOST_PROBLEMS) reading.problems.push({ line, message })
}

function readLine(reading: Reading, content: string, line: number): void {
  if (content.startsWith('[')) {
    reading.section = SECTIONS.get(content) ?? 'skipped'
    reading.label = undefined
    reading.link = undefined
    return
  }
  if (reading.section === 'skipped') return
  const [, key = '', value = ''] = ENTRY.exec(content) ?? []
  if (key === 'classes' || key === 'ua_os' || key === 'sys') return
  if (key !== 'label' && key !== 'sig') {
    throw new P0fError('P0F_SIGNATURE', `${quote(content)} is neither label nor sig`)
  }
  if (reading.section === 'none') {
    throw new P0fError('P0F_SIGNATURE', `a ${key} before the first section`)
  }
  if (reading.section === 'mtu') readLink(reading, key, value)
  else if (key === 'label') {
    // Signatures under a bad label must not be taken for those of the label before it.
    reading.label = undefined
    reading.label = parseLabel(value)
  } else addRule(reading, reading[reading.section], value, line)
}

const ENTRY = /^([a-z_]+)\s*=\s*(.*)$/

function readLink(reading: Reading, key: 'label' | 'sig', value: string): void {
  if (key === 'label') {
    reading.link = value
    return
  }
  if (reading.link === undefined) throw new P0fError('P0F_SIGNATURE', 'an MTU without a label')
  const mtu = /^\d{1,5}$/.test(value) ? Number(value) : 0
  if (mtu < 1 || mtu > 65535) {
    throw new P0fError('P0F_SIGNATURE', `MTU ${quote(value)} is not 1 to 65535`)
  }
  if (!reading.links.has(mtu)) reading.links.set(mtu, reading.link)
}

function addRule(reading: Reading, rules: Map<string, P0fRule[]>, text: string, line: number) {
  if (!reading.label) throw new P0fError('P0F_LABEL', 'a signature without a label')
  if (reading.signatures >= MOST_SIGNATURES) {
    throw new P0fError('P0F_SIGNATURE', `over ${MOST_SIGNATURES} signatures`)
  }
  const rule = ruleOf(parseSignature(text), reading.label, line)
  const { optionKinds, eolPadding, ipOptionsLength } = rule.signature
  const layout = printLayout(optionKinds, optionKinds.length, eolPadding)
  const key = layoutKey(ipOptionsLength, layout)
  const others = rules.get(key)
  if (others) others.push(rule)
  else rules.set(key, [rule])
  reading.signatures += 1
}
