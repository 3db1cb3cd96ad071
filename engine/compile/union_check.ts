/** Reads a value that may have one of several shapes. */
import { type Place, say } from './place.ts'
import { type Reading, shownTree, spanOfTree } from './reading.ts'
import { asShape, choicesOf, describeShape, type Shape } from './shape.ts'
import type { Tree } from './tree.ts'

type Read = (tree: Tree, shape: Shape, place: Place, reading: Reading) => unknown

/**
 * The first variant that fits wins. Where none does, what is wrong is told of the variant that was
 * probably meant: one of the value's own kind, by its constant fields where it has them.
 */
export function readUnion(
  tree: Tree,
  shape: Shape,
  place: Place,
  reading: Reading,
  read: Read,
): unknown {
  const variants = (shape.anyOf ?? shape.oneOf ?? []).map(asShape)
  const { problems } = reading
  const mark = problems.mark()
  for (const variant of variants) {
    const value = read(tree, variant, place, reading)
    if (problems.mark() === mark) return value
    problems.takeBack(mark)
  }
  const alike = variants.filter((variant) => sameKind(tree, variant))
  const tagged = alike.filter((variant) => constantsFit(tree, variant))
  const meant = tagged.length > 0 ? tagged : alike
  const [only] = meant
  if (only !== undefined && (meant.length === 1 || tree.kind !== 'scalar')) {
    return read(tree, only, place, reading)
  }
  if (tree.kind === 'scalar' && tree.broken) return undefined
  const message = `${say(place)} must be ${describeShape(shape)}, not ${shownTree(tree)}`
  problems.error('TYPE', spanOfTree(tree, place), message, { help: shape.description })
  return undefined
}

function sameKind(tree: Tree, variant: Shape): boolean {
  if (tree.kind === 'map') return variant.type === 'object'
  if (tree.kind === 'list') return variant.type === 'array'
  if (variant.type === 'object' || variant.type === 'array') return false
  if (choicesOf(variant) !== undefined || variant.type === undefined) return true
  const type = typeof tree.value === 'number' ? ['number', 'integer'] : [typeof tree.value]
  return type.includes(variant.type) || (tree.value === null && variant.type === 'null')
}

/** Whether every constant field of an object variant is there with its value: it is the one meant. */
function constantsFit(tree: Tree, variant: Shape): boolean {
  if (tree.kind !== 'map') return false
  const constants = Object.entries(variant.properties ?? {}).filter(([, inner]) => 'const' in inner)
  return (
    constants.length > 0 &&
    constants.every(([key, inner]) => {
      const value = tree.entries.get(key)?.value
      return value?.kind === 'scalar' && value.value === inner.const
    })
  )
}
