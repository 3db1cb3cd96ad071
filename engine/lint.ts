/** Style and risk: what is allowed in a pipeline file, and had better not be there. */
import { basename, dirname, resolve } from 'node:path'
import { isMap, isNode, isPair, isScalar, type Node, visit } from 'yaml'
import { isKeyed, nodeShape } from './compile/node_shape.ts'
import { asShape, type Shape } from './compile/shape.ts'
import { Problems } from './compile/source_text.ts'
import { KIND } from './fields.ts'
import { keyText, type PipelineText, readPipelineText } from './file_place.ts'
import { constantValue } from './lint/constant_condition.ts'
import type { LintCode } from './lint/rules.ts'
import type { FilePath } from './pipeline_test.ts'
import type { Plan, PlanNode } from './plan.ts'
import type { Problem, Span } from './problem.ts'

/**
 * @param text the file `plan` was compiled from
 * @param warnings of the compiler; they are findings as well
 * @returns findings by position; a comment `lint: allow CODE` on the line of one or on the line
 *   above it takes it out
 */
export function lintPipeline(plan: Plan, text: string, warnings: readonly Problem[]): Problem[] {
  const plain = text.replace(/^\ufeff/, '')
  const problems = new Problems(plan.file, plain)
  const lint = new Lint(plan, readPipelineText(plain), problems)
  lint.file()
  for (const node of plan.nodes) lint.node(node)
  const lines = plain.split('\n')
  return [...problems.sorted(), ...warnings]
    .filter(({ code, line }) => !isAllowed(code, lines[line - 1], lines[line - 2]))
    .sort((a, b) => a.line - b.line || a.column - b.column)
}

function isAllowed(code: string, ...lines: readonly (string | undefined)[]): boolean {
  return lines.some((line) => {
    const allowed = /#[^#]*\blint: allow ([A-Z_]+(?:,? [A-Z_]+)*)/.exec(line ?? '')?.[1]
    return allowed?.split(/[, ]+/).includes(code) ?? false
  })
}

/** Keys whose values are nobody's business. */
const SECRET_KEY = /(^|_)(password|passwd|secret|token|api_key|private_key)$/

class Lint {
  readonly #plan: Plan
  readonly #text: PipelineText
  readonly #problems: Problems

  constructor(plan: Plan, text: PipelineText, problems: Problems) {
    this.#plan = plan
    this.#text = text
    this.#problems = problems
  }

  file(): void {
    const { tests, unit, name, file } = this.#plan
    if (tests.length === 0) {
      this.#find('NO_TESTS', ['name'], `the pipeline ${name} has no tests`, {
        help: 'add a tests: block, and run it with decnet pipeline test.',
      })
    }
    if (unit === undefined && basename(dirname(resolve(file))) === 'pipelines') {
      this.#find('NO_UNIT', ['name'], `the pipeline ${name} has no unit: block`, {
        help: 'add unit: { description: … }.',
      })
    }
    this.#errorNote()
    this.#secrets()
  }

  /** A reader of an error port, a setting for the dead letters, or a comment about either will do. */
  #errorNote(): void {
    const { nodes } = this.#plan
    const { document } = this.#text
    const isRead = (id: string) =>
      nodes.some(
        (node) =>
          node.section !== 'sources' &&
          node.inputs.some(({ from, port }) => from === id && port === 'errors'),
      )
    const unread = nodes.filter(({ id, section }) => section === 'sinks' && !isRead(id))
    const [first] = unread
    if (!first || document.hasIn(['settings', 'dead_letters'])) return
    const comments = this.#sinkLines().flatMap((line) => /#.*/.exec(line)?.[0] ?? [])
    const isNote = (comment: string) =>
      /error|refuse|dead letter/i.test(comment) && !comment.includes('lint: allow')
    if (comments.some(isNote)) return
    const message = `nothing says what becomes of what ${unread.map(({ id }) => id).join(', ')} cannot write`
    this.#find('NO_ERROR_NOTE', ['sinks', first.id], message, {
      help: `it goes to the dead letters: say so in a comment, or read ${first.id}.errors.`,
    })
  }

  /** The lines of the sinks section, and those of the comment above it. */
  #sinkLines(): readonly string[] {
    const { contents } = this.#text.document
    const pairs = isMap(contents) ? contents.items : []
    const at = pairs.findIndex(({ key }) => keyText(key) === 'sinks')
    const before = pairs[at - 1]?.value
    const start = isNode(before) ? (before.range?.[1] ?? 0) : 0
    const after = pairs[at + 1]?.key
    const end = isNode(after) ? after.range?.[0] : undefined
    return this.#problems.text.slice(start, end).split('\n')
  }

  #secrets(): void {
    const { document } = this.#text
    const sections = document.contents
    if (!isMap(sections)) return
    for (const { key, value } of sections.items) {
      if (keyText(key) === 'tests' || !isNode(value)) continue
      visit(value, {
        Pair: (_, pair) => {
          const name = keyText(pair.key)
          if (!isPair(pair) || !isScalar(pair.value) || !SECRET_KEY.test(name)) return
          const { value } = pair.value
          if (typeof value !== 'string' || value === '' || value.includes('${')) return
          const message = `"${name}" stands in the file for everyone to read`
          this.#problems.warning('PLAIN_SECRET', spanOf(pair.value as Node), message, {
            help: `write "\${secret:name}" and keep the value in a credential.`,
          })
        },
      })
    }
  }

  node(node: PlanNode): void {
    const { component, id, section } = node
    if (section === 'operators' && isKeyed(component) && node.keyed?.ttl === undefined) {
      const { type } = component
      const message = `${type} ${id} keeps the state of a key for ever, for up to ${node.keyed?.maxKeys} keys`
      this.#find('NO_TTL', [section, id], message, {
        help: 'add ttl: the event time after which a key that nothing touched may go.',
      })
    }
    this.#conditions(node.config, nodeShape(component), [section, id])
  }

  #conditions(value: unknown, schema: Shape, path: FilePath): void {
    const shape = asShape(schema)
    if (shape[KIND] === 'cel') {
      if (shape['x-decnet-result'] === 'bool') this.#condition(value as { text: string }, path)
      return
    }
    if (Array.isArray(value) && shape.items !== undefined && 'length' in shape.items === false) {
      value.forEach((item, index) => {
        this.#conditions(item, shape.items as Shape, [...path, index])
      })
      return
    }
    if (typeof value !== 'object' || value === null) return
    const [others] = Object.values(shape.patternProperties ?? {})
    for (const [key, item] of Object.entries(value)) {
      const inner = shape.properties?.[key] ?? others
      if (inner !== undefined) this.#conditions(item, inner, [...path, key])
    }
  }

  #condition({ text }: { readonly text: string }, path: FilePath): void {
    // What is not in the file is the component's own default.
    if (!this.#text.document.hasIn(path)) return
    const constant = constantValue(text)
    if (constant === undefined) return
    const message = `this condition is ${constant ? 'true of every event' : 'true of no event'}`
    this.#find('CONSTANT_CONDITION', path, message, {
      help: constant
        ? 'remove it, or say what it is to hold back.'
        : 'say what it is to let through.',
    })
  }

  #find(code: LintCode, path: FilePath, message: string, advice: { help: string }): void {
    this.#problems.warning(code, this.#spanAt(path), message, advice)
  }

  /** A node is shown by its id, a value by itself. */
  #spanAt(path: FilePath): Span {
    const { document } = this.#text
    if (path.length > 2) return spanOf(document.getIn(path, true))
    const parent = path.length === 1 ? document.contents : document.get(path[0], true)
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => keyText(key) === String(path.at(-1)))
      : undefined
    return spanOf(pair?.key)
  }
}

function spanOf(node: unknown): Span {
  const [start, end] = (isNode(node) && node.range) || [0, 0]
  return { start, end }
}
