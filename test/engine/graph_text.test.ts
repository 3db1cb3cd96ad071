import { describe, expect, it } from 'vitest'
import { graphText } from '../../engine/graph_text.ts'
import type { Plan, PlanEdge, PlanNode } from '../../engine/plan.ts'

const from = (text: string, more: Partial<PlanEdge> = {}): PlanEdge => {
  const [id = '', port = ''] = text.split('.')
  return { from: id, port, policy: 'block', capacity: 1000, ...more }
}

function node(section: PlanNode['section'], id: string, type: string, inputs: PlanEdge[] = []) {
  return { section, id, config: {}, component: { section, type }, inputs } as unknown as PlanNode
}

const plan = {
  name: 'ingest',
  nodes: [
    node('sources', 'lines', 'syslog_file'),
    node('operators', 'parsed', 'parse_syslog', [from('lines')]),
    node('operators', 'end', 'route', [from('parsed')]),
    node('sinks', 'rows', 'repo', [from('parsed'), from('end.spam', { policy: 'drop_oldest' })]),
    node('sinks', 'bad', 'ndjson_file', [from('parsed.errors')]),
  ],
} as unknown as Plan

describe('the drawing of a pipeline', () => {
  it('is a mermaid flowchart in which even a node called "end" is a node', () => {
    expect(graphText(plan, 'mermaid')).toBe(`flowchart LR
  lines(["lines<br/><small>syslog_file</small>"])
  parsed["parsed<br/><small>parse_syslog</small>"]
  N_end["end<br/><small>route</small>"]
  rows[("rows<br/><small>repo</small>")]
  bad[("bad<br/><small>ndjson_file</small>")]
  lines --> parsed
  parsed --> N_end
  parsed --> rows
  N_end -->|"spam, drop_oldest at 1000"| rows
  parsed -.->|"errors"| bad
`)
  })

  it('is a dot digraph with the error port dashed', () => {
    expect(graphText(plan, 'dot')).toBe(`digraph "ingest" {
  rankdir=LR
  node [fontname="sans-serif"]
  "lines" [label="lines\\nsyslog_file", shape=cds]
  "parsed" [label="parsed\\nparse_syslog", shape=box]
  "end" [label="end\\nroute", shape=box]
  "rows" [label="rows\\nrepo", shape=cylinder]
  "bad" [label="bad\\nndjson_file", shape=cylinder]
  "lines" -> "parsed"
  "parsed" -> "end"
  "parsed" -> "rows"
  "end" -> "rows" [label="spam, drop_oldest at 1000"]
  "parsed" -> "bad" [label="errors", style=dashed]
}
`)
  })

  it('is a tree in plain ASCII that draws a node with two inputs once', () => {
    expect(graphText(plan, 'ascii')).toBe(`ingest
lines             syslog_file source
\`-- parsed        parse_syslog operator
    |-- end       route operator
    |   \`-- rows  repo sink              (via spam, drop_oldest at 1000; 2 inputs)
    |-- rows      repo sink              (drawn above)
    \`-- bad       ndjson_file sink       (via errors)
`)
  })

  it('takes a chain of thousands of nodes', () => {
    const chain = Array.from({ length: 1000 }, (_, index) =>
      index === 0
        ? node('sources', 'n0', 'stdin')
        : node('operators', `n${index}`, 'map', [from(`n${index - 1}`)]),
    )
    const text = graphText({ ...plan, nodes: chain }, 'ascii')
    expect(text.split('\n')).toHaveLength(1002)
  })
})
