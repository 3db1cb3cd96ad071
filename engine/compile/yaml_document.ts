/** YAML text to a tree with spans: bounded, merged, interpolated, with every problem at once. */
import { type Document, isScalar, type Node, parseAllDocuments, visit, type YAMLError } from 'yaml'
import type { Span } from '../problem.ts'
import type { Surroundings } from './interpolate.ts'
import { printable } from './printable.ts'
import type { Problems } from './source_text.ts'
import type { Mapping } from './tree.ts'
import { TreeBuilder } from './tree_builder.ts'

/** A pipeline is read by people: one larger than this is something else. */
const LARGEST_FILE = 2 ** 20
const MOST_SYNTAX_ERRORS = 20
const START = 'start with name:, description:, sources: and sinks:.'
/** After these a YAML parser still knows where it is; after others it complains of what is right. */
const LOCAL_ERRORS: ReadonlySet<string> = new Set([
  'BAD_DQ_ESCAPE',
  'BAD_SCALAR_START',
  'BLOCK_AS_IMPLICIT_KEY',
  'TAB_AS_INDENT',
  'TAG_RESOLVE_FAILED',
])

/**
 * Reads one YAML 1.2 document.
 * @param literal top-level keys under which `${…}` is plain text: test data is no configuration
 * @returns undefined where the text is no single YAML mapping; `problems` then says why
 */
export function readYaml(
  problems: Problems,
  surroundings: Surroundings,
  literal: readonly string[],
): Mapping | undefined {
  const { text } = problems
  if (text.length > LARGEST_FILE) {
    problems.error('TOO_LARGE', { start: 0, end: 0 }, `the file is over ${LARGEST_FILE} characters`)
    return undefined
  }
  const document = parseOne(problems)
  if (document === undefined) return undefined
  const { contents } = document
  const builder = new TreeBuilder(problems, surroundings, literal)
  const tree = contents === null ? undefined : builder.build(contents, [], true)
  if (builder.overflowed) return undefined
  if (tree?.kind === 'map') return tree
  problems.error(
    contents === null || isEmptyScalar(contents) ? 'EMPTY_FILE' : 'TYPE',
    { start: 0, end: 0 },
    contents === null || isEmptyScalar(contents)
      ? 'the file is empty'
      : 'a pipeline file is a mapping of keys to values',
    { help: START },
  )
  return undefined
}

const isEmptyScalar = (node: Node): boolean => isScalar(node) && node.value === null

function parseOne(problems: Problems): Document.Parsed | undefined {
  const documents = parseAllDocuments(problems.text, {
    merge: false,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  const [document, second] = Array.isArray(documents) ? documents : []
  if (document === undefined) {
    problems.error('EMPTY_FILE', { start: 0, end: 0 }, 'the file is empty', { help: START })
    return undefined
  }
  reportSyntax(document, problems)
  if (second !== undefined && !problems.hasErrors) {
    const start = second.range[0]
    problems.error('SEVERAL_DOCUMENTS', { start, end: start }, 'the file has a second document', {
      help: 'one file is one pipeline: put what follows "---" in a file of its own.',
    })
  }
  if (document.directives.yaml.explicit && document.directives.yaml.version !== '1.2') {
    const message = 'a %YAML directive changes what words like "yes" mean'
    problems.error('YAML_SYNTAX', { start: 0, end: 0 }, message, { help: 'remove the line.' })
  }
  return problems.hasErrors ? undefined : document
}

/** The first complaint about each line, as long as the parser knows what it is talking about. */
function reportSyntax(document: Document.Parsed, problems: Problems): void {
  const lines = new Set<number>()
  for (const error of [...document.errors, ...document.warnings]) {
    const span = openingQuote(error, document) ?? { start: error.pos[0], end: error.pos[1] }
    const { line } = problems.positionAt(span.start)
    if (lines.has(line) || lines.size >= MOST_SYNTAX_ERRORS) continue
    lines.add(line)
    if (error.code === 'RESOURCE_EXHAUSTION') {
      problems.error('TOO_LARGE', span, 'the file nests too deeply')
      break
    }
    const message = `this is not YAML: ${printable(lowerFirst(error.message))}`
    const help = error.code === 'MISSING_CHAR' ? 'close it.' : syntaxHelp(lineAt(problems, line))
    problems.error('YAML_SYNTAX', span, message, { help })
    if (!LOCAL_ERRORS.has(error.code)) break
  }
}

/** A quote that is never closed is missed at the end of the file; the slip is where it opens. */
function openingQuote({ code, pos }: YAMLError, document: Document.Parsed): Span | undefined {
  if (code !== 'MISSING_CHAR') return undefined
  let opening: Span | undefined
  visit(document, {
    Scalar(_, { type, range }) {
      const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE'
      if (!quoted || range?.[1] !== pos[0]) return undefined
      opening = { start: range[0], end: range[0] + 1 }
      return visit.BREAK
    },
  })
  return opening
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)

const lineAt = (problems: Problems, line: number): string =>
  problems.text.split('\n', line)[line - 1] ?? ''

function syntaxHelp(line: string): string {
  if (/^[^"']*[{,:]\s*\$\{/.test(line.slice(0, 1000)))
    return `put "…" around a value with \${…} in it.`
  if (/^ *\t/.test(line)) return 'indent with spaces.'
  return 'put "…" around a value that holds ": ", " #", or starts with one of {}[]&*!|>%@`.'
}
