/** How well predicted clusters fit the true ones; labels are opaque. See spec/clustering.md section 10. */

export type Labels = ReadonlyMap<string, unknown>

export interface Scores {
  readonly adjusted_rand_index: number
  readonly homogeneity: number
  readonly completeness: number
  readonly singleton_recall: number
}

/** @throws where the two do not label the same items */
export function score(truth: Labels, predicted: Labels): Scores {
  if (truth.size !== predicted.size || [...truth.keys()].some((item) => !predicted.has(item))) {
    throw new Error('truth and prediction label different items')
  }
  const cells = sizes(
    [...truth].map(
      ([item, label]) => `${index(truth, label)} ${index(predicted, predicted.get(item))}`,
    ),
  )
  const classes = sizes(truth.values())
  const clusters = sizes(predicted.values())
  return {
    adjusted_rand_index: adjustedRandIndex(truth.size, cells, classes, clusters),
    homogeneity: purity(truth.size, cells, classes, clusters),
    completeness: purity(truth.size, cells, clusters, classes),
    singleton_recall: singletonRecall(truth, predicted, classes, clusters),
  }
}

type Sizes = ReadonlyMap<unknown, number>

const sizes = (labels: Iterable<unknown>): Sizes => {
  const counts = new Map<unknown, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}

const indexes = new WeakMap<Labels, Map<unknown, number>>()
/** A number for each label, so that two labels make a key. */
function index(labels: Labels, label: unknown): number {
  const known =
    indexes.get(labels) ?? new Map([...new Set(labels.values())].map((each, at) => [each, at]))
  indexes.set(labels, known)
  return known.get(label) as number
}

const pairs = (counts: Sizes): number =>
  [...counts.values()].reduce((sum, count) => sum + (count * (count - 1)) / 2, 0)

function adjustedRandIndex(items: number, cells: Sizes, classes: Sizes, clusters: Sizes): number {
  // Told by the sizes, for the products below need not be exact.
  const trivial = [classes, clusters].map(({ size }) =>
    size === 1 ? 'one' : size === items ? 'alone' : 'mixed',
  )
  if (items < 2 || (trivial[0] !== 'mixed' && trivial[0] === trivial[1])) return 1
  const expected = (pairs(classes) * pairs(clusters)) / ((items * (items - 1)) / 2)
  const most = (pairs(classes) + pairs(clusters)) / 2
  return (pairs(cells) - expected) / (most - expected)
}

/** 1 - H(of given by) / H(of), in nats. */
function purity(items: number, cells: Sizes, of: Sizes, by: Sizes): number {
  const whole = entropy(items, of)
  if (whole === 0) return 1
  // H(of given by) = H(both) - H(by)
  return 1 - Math.max(entropy(items, cells) - entropy(items, by), 0) / whole
}

const entropy = (items: number, counts: Sizes): number =>
  -[...counts.values()].reduce((sum, count) => sum + (count / items) * Math.log(count / items), 0)

function singletonRecall(
  truth: Labels,
  predicted: Labels,
  classes: Sizes,
  clusters: Sizes,
): number {
  const alone = [...truth].filter(([, label]) => classes.get(label) === 1)
  if (alone.length === 0) return 1
  const found = alone.filter(([item]) => clusters.get(predicted.get(item)) === 1)
  return found.length / alone.length
}

/** By metric, the least it may be. */
export type Floors = Readonly<Record<string, { readonly min: number }>>

/**
 * @returns a line for each metric below its floor
 * @throws on the name of no metric
 */
export function belowFloors(scores: Scores, floors: Floors): string[] {
  return Object.entries(floors).flatMap(([name, { min }]) => {
    const value = (scores as unknown as Record<string, number | undefined>)[name]
    if (value === undefined) throw new Error(`there is no metric ${name}`)
    return value >= min - 1e-9
      ? []
      : [`${name} is ${value}, below ${min}, of ${JSON.stringify(scores)}`]
  })
}
