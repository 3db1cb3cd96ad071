/** The order of keys: that of the top level, and in each node type, inputs, then as its schema has them. */
import { isMap, isScalar, type Node, type Pair, type YAMLMap } from 'yaml'
import { nodeShape } from '../compile/node_shape.ts'
import { findComponent, type Registry, SECTIONS, type Section } from '../define.ts'
import { keyText } from '../file_place.ts'

const TOP = ['name', 'description', ...SECTIONS, 'settings', 'unit', 'tests']
const NODE = ['type', 'inputs']

/** Tells editors which schema to use; it belongs to the file, not to the key below it. */
const HEADER = /^ *yaml-language-server:/

/** Sorts in place; keys nobody knows come last, in the order they are in. */
export function orderKeys(root: YAMLMap, registry: Registry): void {
  const before = root.items[0]
  sortPairs(root, TOP)
  const header = (before?.key as Node | undefined)?.commentBefore
  const first = root.items[0]?.key as Node | undefined
  if (first && before && first !== before.key && header && HEADER.test(header)) {
    const [line = '', ...rest] = header.split('\n')
    ;(before.key as Node).commentBefore = rest.length > 0 ? rest.join('\n') : (undefined as never)
    first.commentBefore = first.commentBefore ? `${line}\n${first.commentBefore}` : line
  }
  for (const section of SECTIONS) {
    const nodes = root.get(section, true)
    if (!isMap(nodes)) continue
    for (const { value } of nodes.items) if (isMap(value)) orderNode(value, section, registry)
  }
}

function orderNode(node: YAMLMap, section: Section, registry: Registry): void {
  const type = node.get('type', true)
  const name = isScalar(type) ? (type.value === null ? 'null' : String(type.value)) : ''
  const component = findComponent(registry, section, name)
  const keys = component ? Object.keys(nodeShape(component).properties ?? {}) : NODE
  // A comment above a block's first key would stay on top while its key moves.
  if (node.commentBefore === undefined || node.commentBefore === null) sortPairs(node, keys)
}

function sortPairs(map: YAMLMap, order: readonly string[]): void {
  const rank = ({ key }: Pair): number => {
    const at = order.indexOf(keyText(key))
    return at < 0 ? order.length : at
  }
  map.items.sort((a, b) => rank(a) - rank(b))
}
