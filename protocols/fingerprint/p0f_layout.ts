/** The order of TCP options as p0f spells it: `mss,nop,ws,?76,eol+1`. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'
import { readNumber } from './p0f_number.ts'
import { MOST_OPTIONS } from './p0f_quirks.ts'
import { OPTION_KIND } from './syn_features.ts'

const KIND_OF_NAME = new Map<string, number>([
  ['nop', OPTION_KIND.nop],
  ['mss', OPTION_KIND.mss],
  ['ws', OPTION_KIND.windowScale],
  ['sok', OPTION_KIND.sackPermitted],
  ['sack', OPTION_KIND.sack],
  ['ts', OPTION_KIND.timestamps],
])

const NAME_OF_KIND = Array.from({ length: 256 }, (_, kind) => `?${kind}`)
for (const [name, kind] of KIND_OF_NAME) NAME_OF_KIND[kind] = name

/** @returns what stands in the text for these kinds; at most 24 of them, as p0f reads no more */
export function printLayout(kinds: ArrayLike<number>, kindCount: number, eolPadding: number) {
  let text = ''
  for (let at = 0; at < kindCount && at < MOST_OPTIONS; at++) {
    const kind = kinds[at] ?? 0
    const name = kind === OPTION_KIND.eol ? `eol+${eolPadding}` : NAME_OF_KIND[kind]
    text += at === 0 ? name : `,${name}`
  }
  return text
}

export interface P0fLayout {
  readonly kinds: readonly number[]
  /** bytes behind `eol` */
  readonly eolPadding: number
}

/** @throws {P0fError} `P0F_SIGNATURE` on an unknown name, `eol` before the end, over 24 options */
export function parseLayout(text: string): P0fLayout {
  if (text === '') return { kinds: [], eolPadding: 0 }
  const names = text.split(',', MOST_OPTIONS + 1)
  if (names.length > MOST_OPTIONS) {
    throw new P0fError('P0F_SIGNATURE', `over ${MOST_OPTIONS} TCP options`)
  }
  let eolPadding = 0
  const kinds = names.map((name, at) => {
    const kind = KIND_OF_NAME.get(name)
    if (kind !== undefined) return kind
    if (name.startsWith('?')) return readNumber(name.slice(1), 'option kind', 1, 255)
    if (!name.startsWith('eol+')) {
      throw new P0fError('P0F_SIGNATURE', `there is no TCP option ${quote(name)}`)
    }
    if (at < names.length - 1) throw new P0fError('P0F_SIGNATURE', 'an option behind eol')
    eolPadding = readNumber(name.slice(4), 'padding behind eol', 0, 255)
    return OPTION_KIND.eol
  })
  return { kinds, eolPadding }
}

const SIZES = new Map<number, number>([
  [OPTION_KIND.eol, 1],
  [OPTION_KIND.nop, 1],
  [OPTION_KIND.mss, 4],
  [OPTION_KIND.windowScale, 3],
  [OPTION_KIND.sackPermitted, 2],
  [OPTION_KIND.timestamps, 10],
])

/** Bytes of an option list of this layout; undefined where an option has no fixed size. */
export function layoutSize({ kinds, eolPadding }: P0fLayout): number | undefined {
  let size = eolPadding
  for (const kind of kinds) {
    const one = SIZES.get(kind)
    if (one === undefined) return undefined
    size += one
  }
  return size
}
