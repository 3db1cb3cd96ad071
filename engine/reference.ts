/** What a component says about itself, as text for a terminal; pages are in reference_page.ts. */
import { isAsking, isKeyed, nodeShape } from './compile/node_shape.ts'
import type { Component, Section } from './define.ts'
import { type FieldRow, fieldRows } from './schema_text.ts'

export const SECTION_WORD: Readonly<Record<Section, string>> = {
  sources: 'source',
  operators: 'operator',
  sinks: 'sink',
}

/**
 * Everything a node of this component can have set: its own keys, and those the engine adds to
 * every node like it but for `type` and `inputs`, which the index explains once.
 */
export const configRows = (component: Component): FieldRow[] =>
  fieldRows(nodeShape(component)).filter(({ name }) => name !== 'type' && !/^inputs\b/.test(name))

/** Facts beside the config: a line each, in the order they are shown. */
export function factsOf(component: Component): [string, string][] {
  const facts: [string, string][] = [['Promise', component.promise]]
  if (component.section === 'sources') {
    const { replayable } = component
    const word = { true: 'yes', false: 'no' }[String(replayable)] ?? 'depends on the config'
    facts.push(['Can be read again after a crash', word])
  }
  if (component.section === 'sinks') facts.push(['Effect', component.effect.replaceAll('_', ' ')])
  if (component.section === 'operators') {
    if (isKeyed(component)) facts.push(['State', 'one per key, kept and bounded by the engine'])
    if (isAsking(component)) facts.push(['Asks', 'the outside; the journal keeps each answer'])
    if (component.outputs?.length === 0) {
      const names = component.outputs({}).map((name) => `\`node.${name}\``)
      facts.push(['Outputs', names.join(', ')])
    } else if (component.outputs) {
      facts.push(['Outputs', 'several, named in the config: `node.output`'])
    }
  }
  return facts
}

/** @returns the shape of `event.data` it takes, or a sentence where there is no one shape */
export function inputOf(component: Component): FieldRow[] | string {
  if (component.section === 'sources') return ''
  if (component.input === undefined) return 'Any event.'
  if (typeof component.input === 'function') return 'Depends on the config.'
  const rows = fieldRows(component.input)
  return rows.length > 0 ? rows : 'Any event.'
}

/** Everything about one component, for a terminal. */
export function componentText(component: Component): string {
  const rows = configRows(component)
  const input = inputOf(component)
  const parts = [
    `${component.type} (${SECTION_WORD[component.section]})\n  ${component.summary}`,
    ...factsOf(component).map(([name, text]) => `${name}\n  ${text}`),
    rows.length > 0 ? `Config\n${textTable(rows)}` : 'Config\n  nothing to set',
  ]
  if (typeof input !== 'string') parts.push(`Input (event.data)\n${textTable(input)}`)
  else if (input !== '') parts.push(`Input\n  ${input}`)
  for (const { title, yaml } of component.examples) {
    parts.push(`Example: ${title}\n${yaml.trimEnd().replace(/^/gm, '  ')}`)
  }
  return `${parts.join('\n\n')}\n`
}

function textTable(rows: readonly FieldRow[]): string {
  const width = Math.max(...rows.map((row) => row.name.length))
  const lines = rows.map((row) => {
    const fallback = row.default === undefined ? '' : `; default ${row.default}`
    const head = `  ${row.name.padEnd(width)}  ${row.type}${row.required ? '; required' : fallback}`
    return row.description ? `${head}\n  ${' '.repeat(width)}  ${row.description}` : head
  })
  return lines.join('\n')
}
