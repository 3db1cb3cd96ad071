/** Checks how the nodes of a pipeline are wired. */
import { quote } from '../../protocols/quote.ts'
import type { Span } from '../problem.ts'
import { reportCycles } from './cycle.ts'
import type { GraphNode, Input } from './graph.ts'
import { listOf, nearMiss, suggestion } from './near_miss.ts'
import type { Problems } from './source_text.ts'

/** `source "lines"`, for messages. */
export const nameOf = ({ section, id }: Pick<GraphNode, 'section' | 'id'>): string =>
  `${section.slice(0, -1)} ${quote(id)}`

/**
 * @param nodes in file order; of several with one id the first counts
 * @returns the nodes by id
 */
export function checkGraph(
  nodes: readonly GraphNode[],
  problems: Problems,
): ReadonlyMap<string, GraphNode> {
  const byId = new Map<string, GraphNode>()
  for (const node of nodes) {
    const first = byId.get(node.id)
    if (first === undefined) byId.set(node.id, node)
    // Two in one section have been reported as the YAML was read.
    else if (first.section !== node.section) reportDuplicate(node, first, problems)
  }
  const read = new Set<string>()
  for (const node of nodes) checkInputs(node, byId, read, problems)
  for (const node of nodes) checkWakes(node, byId, read, problems)
  // Without a sink nothing can be read to the end; that has been said already.
  if (nodes.some((node) => node.section === 'sinks')) {
    for (const node of byId.values()) checkUse(node, read, problems)
  }
  reportCycles(byId, problems)
  return byId
}

function reportDuplicate(node: GraphNode, first: GraphNode, problems: Problems): void {
  problems.error(
    'DUPLICATE_ID',
    node.span,
    `node ${quote(node.id)} is also one of the ${first.section}`,
    {
      help: 'ids are shared by sources, operators and sinks: rename one of the two.',
      related: [{ span: first.span, message: 'first defined here' }],
    },
  )
}

function checkInputs(
  node: GraphNode,
  nodes: ReadonlyMap<string, GraphNode>,
  read: Set<string>,
  problems: Problems,
): void {
  const seen = new Map<string, Input>()
  for (const input of node.inputs) {
    const key = `${input.from}.${input.port}`
    const first = seen.get(key)
    if (first !== undefined) {
      problems.error(
        'DUPLICATE_INPUT',
        input.span,
        `${nameOf(node)} reads ${quote(input.shown)} twice`,
        {
          help: 'every event would arrive twice: remove one.',
          related: [{ span: first.span, message: 'first read here' }],
        },
      )
      continue
    }
    seen.set(key, input)
    const from = nodes.get(input.from)
    if (from === undefined) reportUnknown(node, input, nodes, read, problems)
    else {
      read.add(key)
      checkPort(from, input.port, input.span, problems)
    }
  }
}

function reportUnknown(
  node: GraphNode,
  input: Input,
  nodes: ReadonlyMap<string, GraphNode>,
  read: Set<string>,
  problems: Problems,
): void {
  const message = `${nameOf(node)} reads ${quote(input.shown)}, which is no node`
  if (problems.isFull) {
    problems.error('UNKNOWN_INPUT', input.span, message)
    return
  }
  const candidates = [...nodes.values()]
    .filter((other) => other !== node && (other.section !== 'sinks' || input.port === 'errors'))
    .map((other) => other.id)
  const meant = nearMiss(input.from, candidates)
  // A misspelt node is read, by who meant it: no second complaint that nobody does.
  if (meant !== undefined) read.add(`${meant}.${input.port}`)
  const help = `${suggestion(input.from, candidates)}it can read ${listOf(candidates) || 'nothing yet'}.`
  problems.error('UNKNOWN_INPUT', input.span, message, { help })
}

/** Reports a port that `node` does not have, or that cannot be read. */
export function checkPort(node: GraphNode, port: string, span: Span, problems: Problems): void {
  const { outputs } = node
  if (port === 'errors') return
  if (port.split('.').includes('errors')) {
    problems.error('ERROR_PORT', span, `an error port has no ports of its own`, {
      help: `read ${node.id}.errors; what its reader cannot handle is at <reader>.errors.`,
    })
  } else if (node.section === 'sinks' && port === '') {
    problems.error('SINK_AS_INPUT', span, `${quote(node.id)} is a sink: nothing comes out of it`, {
      help: `read what it reads, or ${node.id}.errors.`,
    })
  } else if (outputs !== undefined && !outputs.includes(port)) {
    const named = outputs.filter((output) => output !== '')
    const has =
      named.length > 0 ? `outputs ${named.join(', ')} and errors` : 'no output but its own'
    const wants = port === '' ? 'no unnamed output' : `no output ${quote(port)}`
    problems.error('UNKNOWN_PORT', span, `${nameOf(node)} has ${wants}`, {
      help:
        named.length > 0
          ? `${suggestion(port, [...named, 'errors'])}it has the ${has}: write ${node.id}.${named[0]}.`
          : `${suggestion(port, ['errors'])}it has ${has} and ${node.id}.errors.`,
    })
  }
}

/**
 * Checks that what wakes a source exists. It counts as read, but it is no edge: it makes no circle,
 * and a source may be woken by what comes of its own events.
 * @param read keys `node.port` of all that is read, added to
 */
function checkWakes(
  node: GraphNode,
  nodes: ReadonlyMap<string, GraphNode>,
  read: Set<string>,
  problems: Problems,
): void {
  for (const { shown, from, port, span } of node.wakes ?? []) {
    const other = nodes.get(from)
    if (other === undefined) {
      const candidates = [...nodes.keys()]
      problems.error(
        'UNKNOWN_INPUT',
        span,
        `${nameOf(node)} is woken by ${quote(shown)}, no node`,
        {
          help: `${suggestion(from, candidates)}there are ${listOf(candidates)}.`,
        },
      )
    } else {
      read.add(`${from}.${port}`)
      checkPort(other, port, span, problems)
    }
  }
}

function checkUse(node: GraphNode, read: ReadonlySet<string>, problems: Problems): void {
  if (node.section === 'sinks') return
  const outputs = node.outputs ?? []
  const isRead = (port: string) => read.has(`${node.id}.${port}`)
  const ports = [...read].filter(
    (key) => key.startsWith(`${node.id}.`) && key !== `${node.id}.errors`,
  )
  if (ports.length === 0) {
    problems.error('UNUSED_OUTPUT', node.span, `nothing reads ${nameOf(node)}`, {
      help: `add ${node.id} to the inputs of a node, or remove it.`,
    })
    return
  }
  for (const port of outputs) {
    if (port === '' || isRead(port)) continue
    const message = `nothing reads the output ${quote(port)} of ${nameOf(node)}`
    problems.warning('UNUSED_OUTPUT', node.span, message, {
      help: `its events are dropped, counted as filtered; read ${node.id}.${port} to keep them.`,
    })
  }
}
