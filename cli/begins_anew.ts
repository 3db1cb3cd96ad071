/** A replay into a database that holds rows already. */
import type { ResourceUse } from '../engine/context.ts'
import { UnavailableError } from '../engine/errors.ts'
import type { Plan } from '../engine/plan.ts'
import { database } from '../store/database.ts'
import type { EntityName } from '../store/entity_events.ts'
import { hasRows } from '../store/findings.ts'

/** What a row of these says hangs on all that came before it. */
const CONCLUSIONS: readonly unknown[] = [
  'traversal',
  'credential_reuse',
  'attacker',
  'identity',
  'campaign',
] satisfies readonly EntityName[]

/** To be asked before the replay. @returns whether it will say less than the whole log would */
export async function beginsAnew(plans: readonly Plan[], use: ResourceUse): Promise<boolean> {
  const entities = plans.flatMap(({ nodes }) =>
    nodes.map(({ config }) => (config as { entity?: unknown }).entity),
  )
  const concludes = entities.some((entity) => CONCLUSIONS.includes(entity))
  if (!concludes) return false
  try {
    return await hasRows(await use(database))
  } catch (error) {
    // Its sinks wait for it, or say that it is away.
    if (error instanceof UnavailableError) return false
    throw error
  }
}

export const BEGINS_ANEW =
  '\nnote: the database held rows before, and a replay begins without state: what it concludes\n' +
  '(profiles, findings of reuse, identities, campaigns) is of this log alone. Replay the whole log\n' +
  'at once, or follow it with pipeline run, which keeps its state.\n'
