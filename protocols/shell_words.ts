/** Takes a shell command line apart, as far as is needed to tell what was called with which words. */

/** Characters of a line that are read, simple commands of it, and words of each. */
const MAX_LINE = 4096
const MAX_COMMANDS = 32
const MAX_WORDS = 32

const ENDS = new Set([';', '|', '&', '\n', '(', ')', '`'])
const BLANK = new Set([' ', '\t', '\r'])

/**
 * Splits at `;`, `|`, `&`, newlines and round brackets, and in words at blanks, outside of quotes. Quotes are
 * taken off; a backslash outside of single quotes lets the next character stand for itself. Nothing is
 * expanded. Never throws: a quote that is left open ends with the line.
 * @returns the words of each simple command, 32 commands of 32 words at most
 * @see IEEE Std 1003.1-2017, Shell Command Language, sections 2.2 and 2.3
 * @example simpleCommands("cd /tmp; wget 'http://h/x y' -O a") // [['cd', '/tmp'], ['wget', 'http://h/x y', '-O', 'a']]
 */
export function simpleCommands(line: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  let word: string | undefined
  const endWord = () => {
    if (word !== undefined && words.length < MAX_WORDS) words.push(word)
    word = undefined
  }
  const endCommand = () => {
    endWord()
    if (words.length > 0 && commands.length < MAX_COMMANDS) commands.push(words)
    words = []
  }
  let quote = ''
  const end = Math.min(line.length, MAX_LINE)
  for (let at = 0; at < end; at++) {
    const char = line.charAt(at)
    if (quote === "'" || quote === '"') {
      if (char === quote) quote = ''
      else if (char === '\\' && quote === '"' && at + 1 < end) word += line.charAt(++at)
      else word += char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (char === '\\' && at + 1 < end) word = (word ?? '') + line.charAt(++at)
    else if (ENDS.has(char)) endCommand()
    else if (BLANK.has(char)) endWord()
    else word = (word ?? '') + char
  }
  endCommand()
  return commands
}
