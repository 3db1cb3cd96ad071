/** Scores a corpus and says what is below its floor. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { familyScores } from '../../protocols/clustering/campaign_similarity.ts'
import type { IdentityFeatures } from '../../protocols/clustering/identity_features.ts'
import { type Corpus, truthLabels } from './generate.ts'
import { layersOf } from './layers.ts'
import { belowFloors, type Floors, score } from './metrics.ts'

const text = readFileSync(new URL('floors.yaml', import.meta.url), 'utf8')
const floors = parse(text) as Readonly<Record<string, Readonly<Record<string, Floors>>>>

/** @returns a line for each metric of each layer that is too low; none: the scenario passes */
export function failuresOf(name: string, corpus: Corpus): string[] {
  const layers = layersOf(corpus)
  return Object.entries(floors).flatMap(([pair, byScenario]) => {
    const [layer, truth] = pair.split('/') as ['identity' | 'campaign', string]
    const least = byScenario[name]
    if (!least) return []
    const below = belowFloors(score(truthLabels(corpus, truth), layers[layer]), least)
    return below.map((line) => `${name}, ${pair}: ${line}`)
  })
}

/**
 * Operations that share nothing but a decky on which, by chance, one seems to take over from the
 * other. @returns pairs of true campaigns
 */
export function chanceHandoffs(corpus: Corpus): string[] {
  const { identity, features } = layersOf(corpus)
  const truth = truthLabels(corpus)
  const campaignOf = new Map([...identity].map(([row, id]) => [id, truth.get(row) as string]))
  const list = [...features] as [string, IdentityFeatures][]
  return list.flatMap(([a, one], index) =>
    list.slice(index + 1).flatMap(([b, other]) => {
      const [from, to] = [campaignOf.get(a), campaignOf.get(b)]
      return from !== to && familyScores(one, other).handoff === 1 ? `${from} and ${to}` : []
    }),
  )
}
