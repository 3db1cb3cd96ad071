/** The component reference in `docs/components/`: one page a component, and an index. */
import { type Component, type Example, type Registry, SECTIONS } from './define.ts'
import { configRows, factsOf, inputOf, SECTION_WORD } from './reference.ts'
import type { FieldRow } from './schema_text.ts'

/** File of a component's page, beside the index: `sinks.ndjson_file.md`. */
export const pageName = (component: Component): string =>
  `${component.section}.${component.type}.md`

const GENERATED = '<!-- Written by `decnet docs generate` from the component itself. -->'

const CODE_SPAN = /(`[^`]*`)/

/** Text in which a tag would vanish from the page; inside code it is safe, and would show twice. */
const prose = (text: string): string =>
  text
    .split(CODE_SPAN)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;')))
    .join('')
// A bar or a line break would end the cell.
const cell = (text: string): string => prose(text).replaceAll('|', '\\|').replaceAll('\n', ' ')
// Inside code only the bar has a meaning to the table.
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

function markdownTable(rows: readonly FieldRow[], withDefault: boolean): string {
  const header = withDefault
    ? '| field | type | default | meaning |\n|---|---|---|---|'
    : '| field | type | meaning |\n|---|---|---|'
  const lines = rows.map((row) => {
    const fallback =
      row.default === undefined ? (row.required ? 'required' : '') : code(row.default)
    const middle = withDefault ? `${fallback} | ` : ''
    return `| ${code(row.name)} | ${code(row.type)} | ${middle}${cell(row.description)} |`
  })
  return [header, ...lines].join('\n')
}

function markdownExample({ title, yaml, run }: Example): string {
  const parts = [`### ${title}`, fence('yaml', yaml)]
  if (run) {
    parts.push('Given', fence('json', run.send.map(jsonLine).join('\n')))
    if (run.answers) parts.push('and answered, by key,', fence('json', JSON.stringify(run.answers)))
    const made = run.expect.length > 0 ? run.expect.map(jsonLine).join('\n') : undefined
    parts.push(...(made ? ['it makes', fence('json', made)] : ['it makes nothing.']))
  }
  return parts.join('\n\n')
}

// A fence longer than any run of backticks inside, so that no example can end its own block.
function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${language}\n${text.trimEnd()}\n${ticks}`
}

const jsonLine = (value: unknown): string => JSON.stringify(value)

/** The page of one component in `docs/components/`. */
export function componentPage(component: Component): string {
  const input = inputOf(component)
  const rows = configRows(component)
  const parts = [
    GENERATED,
    `# \`${component.type}\` (${SECTION_WORD[component.section]})`,
    prose(component.summary),
    factsOf(component)
      .map(([name, text]) => `- **${name}**: ${prose(text)}`)
      .join('\n'),
    '## Config',
    rows.length > 0 ? markdownTable(rows, true) : 'Nothing to set.',
  ]
  if (typeof input !== 'string') {
    parts.push('## Input', 'Shape of `event.data`; anything else leaves by `<node>.errors`.')
    parts.push(markdownTable(input, false))
  } else if (input !== '') parts.push('## Input', prose(input))
  if (component.examples.length > 0) parts.push('## Examples')
  return `${[...parts, ...component.examples.map(markdownExample)].join('\n\n')}\n`
}

/** The page that lists every component, `docs/components/README.md`. */
export function indexPage(registry: Registry): string {
  const parts = [
    GENERATED,
    '# Components',
    'Every node of a pipeline file has a `type`; operators and sinks also have `inputs`, a list of ' +
      '`node`, `node.output`, `node.errors` or `{ from: node, policy: drop_oldest, capacity: 1000 }`. ' +
      'The same pages in a terminal: `decnet pipeline explain-type TYPE`.',
  ]
  for (const section of SECTIONS) {
    const rows = [...registry.values()]
      .filter((component) => component.section === section)
      .map((one) => `| [\`${one.type}\`](${pageName(one)}) | ${cell(one.summary)} |`)
    parts.push(`## ${section}`, ['| type | what it does |', '|---|---|', ...rows].join('\n'))
  }
  return `${parts.join('\n\n')}\n`
}
