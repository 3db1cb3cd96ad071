/** The one layout of pipeline files: order of keys, indentation, one-line nodes in columns. */
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, Lexer, parseDocument, visit } from 'yaml'
import type { Registry } from './define.ts'
import { EngineError } from './errors.ts'
import { alignNodes } from './format/align.ts'
import { returnComments } from './format/comment_place.ts'
import { orderKeys } from './format/key_order.ts'
import { layOut } from './format/layout.ts'
import { holdsMarks, SetAside } from './format/set_aside.ts'

/**
 * Lays a pipeline file out anew. Its meaning, its comments and how each value is written stay; the
 * result, formatted again, is the same.
 * @param text YAML without errors
 * @throws {EngineError} `FORMAT` on YAML that cannot be formatted without loss
 */
export function formatPipeline(text: string, registry: Registry): string {
  const plain = text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')
  if (holdsMarks(plain)) throw new EngineError('FORMAT', 'the file holds text that is in our way')
  const document = parse(plain)
  const [error] = document.errors
  if (error) throw new EngineError('FORMAT', `the file is not YAML: ${error.message}`)
  const { contents } = document
  if (isMap(contents)) {
    returnComments(contents, plain)
    // Behind an alias the anchor has to come first, so nothing may change places.
    if (!hasAnchors(document)) orderKeys(contents, registry)
  }
  const aside = new SetAside()
  layOut(document, plain, aside)
  const printed = document.toString({ lineWidth: 0, indent: 2, nullStr: '' })
  const lines = printed.split('\n').map((line) => line.replace(/^ *$/, ''))
  const made = alignNodes(aside.restore(lines.join('\n')).split('\n')).join('\n')
  refuseLoss(plain, made)
  return made
}

const parse = (text: string): Document.Parsed =>
  parseDocument(text, {
    merge: false,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
    keepSourceTokens: false,
  })

function hasAnchors(document: Document.Parsed): boolean {
  let found = false
  visit(document, {
    Node(_, node) {
      if (!('anchor' in node) || !node.anchor) return undefined
      found = true
      return visit.BREAK
    },
  })
  return found
}

/** A formatter that loses a word is worse than none: what was made is read back and compared. */
function refuseLoss(before: string, after: string): void {
  const same =
    isDeepStrictEqual(readBack(before), readBack(after)) &&
    isDeepStrictEqual(commentsOf(before), commentsOf(after))
  if (!same) throw new EngineError('FORMAT', 'the file cannot be formatted without changing it')
}

function readBack(text: string): unknown {
  try {
    return parse(text).toJS()
  } catch (cause) {
    throw new EngineError('FORMAT', 'the file has an alias that leads nowhere', { cause })
  }
}

function commentsOf(text: string): string[] {
  const tokens = [...new Lexer().lex(text)].filter((token) => token.startsWith('#'))
  return tokens.map((token) => token.trimEnd()).sort()
}
