/** Finds the component a node names. */
import { quote } from '../../protocols/quote.ts'
import {
  type Component,
  componentsOfType,
  findComponent,
  type Registry,
  type Section,
} from '../define.ts'
import { suggestion } from './near_miss.ts'
import { below, type Place, say } from './place.ts'
import { type Reading, shownTree, spanOfTree } from './reading.ts'
import type { Entry, Mapping, Scalar } from './tree.ts'

/**
 * YAML reads the bare word `null` as nothing at all; after `type:` it can only mean the sink of that
 * name. A `type:` with nothing behind it stays the mistake it is.
 */
export function withNullAsName(node: Mapping): Mapping {
  const entry = node.entries.get('type')
  const type = entry?.value
  if (entry === undefined || type?.kind !== 'scalar' || type.value !== null) return node
  if (type.span.end === type.span.start) return node
  const named: Entry = { ...entry, value: { ...type, value: 'null', shown: 'null' } }
  return { ...node, entries: new Map([...node.entries, ['type', named]]) }
}

/** @returns undefined where a problem was reported */
export function readType(
  node: Mapping,
  section: Section,
  registry: Registry,
  place: Place,
  reading: Reading,
): Component | undefined {
  const { problems } = reading
  const entry = node.entries.get('type')
  if (entry === undefined) {
    problems.error('MISSING_KEY', place.anchor, `${place.owner} needs the key "type"`, {
      help: `type: one of ${typesOf(registry, section).join(', ')}`,
    })
    return undefined
  }
  const type = entry.value
  if (type.kind === 'scalar' && type.broken) return undefined
  if (type.kind !== 'scalar' || typeof type.value !== 'string') {
    const inner = below(place, 'type', entry.keySpan)
    const message = `${say(inner)} must be text, not ${shownTree(type)}`
    problems.error('TYPE', spanOfTree(type, inner), message)
    return undefined
  }
  const found = findComponent(registry, section, type.value)
  if (found === undefined) reportType(type, type.value, section, registry, reading)
  return found
}

const typesOf = (registry: Registry, section: Section): readonly string[] =>
  [...registry.values()].filter((one) => one.section === section).map((one) => one.type)

function reportType(
  { span, shown }: Scalar,
  type: string,
  section: Section,
  registry: Registry,
  { problems }: Reading,
): void {
  const singular = section.slice(0, -1)
  const named = quote(String(shown))
  const elsewhere = componentsOfType(registry, type).map((one) => one.section)
  if (elsewhere.length > 0) {
    const message = `${named} is no ${singular}; it is one of the ${elsewhere.join(' and ')}`
    const help = `move the node to "${elsewhere[0]}:", or give it another type.`
    problems.error('WRONG_SECTION', span, message, { help })
    return
  }
  const types = typesOf(registry, section)
  const all = [...registry.values()].map((one) => one.type)
  // A word that is only near a type of another section is worth a hint as well.
  const meant = suggestion(type, types) || suggestion(type, all)
  const help = `${meant}${section} are ${types.join(', ')}.`
  problems.error('UNKNOWN_TYPE', span, `there is no ${singular} type ${named}`, { help })
}
