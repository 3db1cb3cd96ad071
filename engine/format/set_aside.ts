/** Texts that stand aside, behind marks, while the rest of a file is printed. */

/** No pipeline file holds one of these, so that no text can pass for a mark. */
const MARK = /zq\d{7}qz/

const ALL_MARKS = /zq(\d{7})qz/g

/** Whether a file can be formatted with marks. */
export const holdsMarks = (text: string): boolean => MARK.test(text)

/** A value with the columns that its further lines stand in from its parent. */
interface Kept {
  readonly first: string
  readonly rest: readonly string[]
  readonly deeper: number
}

export class SetAside {
  readonly #texts: Kept[] = []

  /**
   * @param text a value as YAML has it, maybe over several lines
   * @param line the part of its line that comes before it
   * @returns a word that stands for it
   */
  keep(text: string, line = ''): string {
    this.#texts.push(/^[|>]/.test(text) ? blockText(text, line) : flowText(text))
    return `zq${String(this.#texts.length - 1).padStart(7, '0')}qz`
  }

  /** Puts the texts back, their further lines indented to where they now stand. */
  restore(printed: string): string {
    const lines = printed.split('\n').map((line) =>
      line.replace(ALL_MARKS, (_, index: string, at: number) => {
        const { first, rest, deeper } = this.#texts[Number(index)] as Kept
        const indent = ' '.repeat(parentOf(line.slice(0, at)) + deeper)
        const below = rest.map((text) => (text === '' ? '' : indent + text))
        return [first, ...below].join('\n')
      }),
    )
    return lines.join('\n')
  }
}

/** Column of the key, or else of the dash, that a value after `before` belongs to. */
function parentOf(before: string): number {
  const dashes = (/^ *(?:- +)*/.exec(before) as RegExpExecArray)[0]
  return dashes.length < before.length ? dashes.length : Math.max(0, before.lastIndexOf('-'))
}

/** In a quoted or plain text the white space around a line break counts for nothing. */
function flowText(text: string): Kept {
  const [first = '', ...rest] = text.split('\n')
  return { first, rest: rest.map((line) => line.trim()), deeper: 2 }
}

function blockText(text: string, before: string): Kept {
  const [first = '', ...rest] = text.split('\n')
  const [, digit] = /^[|>][+-]?([1-9])?/.exec(first) ?? []
  const written = rest.find((line) => /[^ ]/.test(line))
  // A digit in the header counts the columns from the parent; further ones are content.
  const cut =
    digit === undefined
      ? (written?.search(/[^ ]/) ?? Number.MAX_SAFE_INTEGER)
      : parentOf(before) + Number(digit)
  const lines = rest.map((line) => line.slice(cut))
  // But for `|+` and `>+`, empty lines at the end are no part of the text.
  const keeps = /^[|>]\d?\+/.test(first)
  while (!keeps && lines.at(-1) === '') lines.pop()
  return { first, rest: lines, deeper: digit === undefined ? 2 : Number(digit) }
}
