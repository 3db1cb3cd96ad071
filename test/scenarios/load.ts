/** Finds the scenarios by name. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type CorpusSpec, readSpec } from './spec.ts'

export const SCENARIOS = [
  'shared_wordlist',
  'vpn_hopping',
  'lone_wolf',
  'paused_campaign',
  'multi_operator',
  'noise_floor',
  'slow_burn',
] as const

/**
 * @param name of a file in `corpora/`; one with `include_fixtures` becomes what it includes
 * @param edit changes the text of each file that is read
 */
export function loadScenario(
  name: string,
  edit: (text: string, name: string) => string = (text) => text,
): CorpusSpec {
  const path = `${name}.yaml`
  const text = readFileSync(new URL(`corpora/${path}`, import.meta.url), 'utf8')
  const document: unknown = parse(edit(text, name), { merge: true })
  const { include_fixtures, extra_noise_scanners = 0 } = (document ?? {}) as {
    include_fixtures?: string[]
    extra_noise_scanners?: number
  }
  if (!include_fixtures) return readSpec(document, path)
  const parts = include_fixtures.map((part) => loadScenario(part.replace(/\.yaml$/, ''), edit))
  return {
    campaigns: parts.flatMap(({ campaigns }) => campaigns),
    scanner_count: parts.reduce(
      (sum, { scanner_count }) => sum + scanner_count,
      extra_noise_scanners,
    ),
    warnings: parts.flatMap(({ warnings }) => warnings),
  }
}
