/** Finds what stands in a pipeline file under a path of keys and indices. */
import {
  type Document,
  isCollection,
  isMap,
  isNode,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import type { FilePath } from './pipeline_test.ts'

export interface PipelineText {
  readonly document: Document.Parsed
  /** The line, from 1, of what stands under `path`, or of the nearest thing above it. */
  lineOf(path: FilePath): number
}

/** @param text a file that compiles */
export function readPipelineText(text: string): PipelineText {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: false,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  })
  return {
    document,
    lineOf: (path) => lines.linePos(startOf(document, path)).line,
  }
}

function startOf(document: Document.Parsed, path: FilePath): number {
  let node: unknown = document.contents
  let start = 0
  for (const step of path) {
    if (!isCollection(node)) break
    const pair = isMap(node)
      ? node.items.find(({ key }) => keyText(key) === String(step))
      : undefined
    start = offsetOf(pair?.key) ?? start
    node = node.get(step, true)
    // A list item is at itself, a value at its key: the value may begin on the next line.
    if (pair === undefined) start = offsetOf(node) ?? start
  }
  return start
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined)

/** The text of a key as the compiler reads it. */
export const keyText = (key: unknown): string =>
  String(isNode(key) && 'value' in key ? (key as Node & { value: unknown }).value : key)
