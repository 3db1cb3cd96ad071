/** From the `tests:` block to the cases of a plan. */
import type { PlanTest, PlanTestStep, TestAct } from '../plan.ts'
import type { StepBlock, TestsBlock } from './pipeline_tests_block.ts'
import type { Problems } from './source_text.ts'
import type { Tree } from './tree.ts'

/** @param tree the block that `tests` were read from, for their lines and the order of their keys */
export function toPlanTests(
  tests: TestsBlock,
  tree: Tree | undefined,
  problems: Problems,
): PlanTest[] {
  return tests.map(({ name, steps, answers, ...only }, index) => {
    const item = itemOf(tree, index)
    const path = ['tests', index]
    const list = item?.kind === 'map' ? item.entries.get('steps')?.value : undefined
    return {
      name,
      answers: (answers ?? {}) as PlanTest['answers'],
      line: problems.positionAt(item?.span.start ?? 0).line,
      steps: steps?.map((step, at) =>
        toStep(step, keysOf(itemOf(list, at)), [...path, 'steps', at]),
      ) ?? [toStep(only, keysOf(item), path)],
    }
  })
}

const itemOf = (tree: Tree | undefined, index: number): Tree | undefined =>
  tree?.kind === 'list' ? tree.items[index] : undefined

const keysOf = (tree: Tree | undefined): readonly string[] =>
  tree?.kind === 'map' ? [...tree.entries.keys()] : []

function toStep(
  step: StepBlock,
  written: readonly string[],
  path: PlanTestStep['path'],
): PlanTestStep {
  return {
    path,
    acts: written.flatMap((key) => actsOf(step, key)),
    expect: step.expect ?? {},
    expectNone: step.expect_none ?? [],
    state: step.state ?? {},
  }
}

function actsOf(step: StepBlock, key: string): TestAct[] {
  if (key === 'send') {
    const sent = Object.entries(step.send ?? {})
    return sent.map(([source, items]) => ({ does: 'send', source, items }))
  }
  if (key === 'from_capture') {
    const { from_capture: captures = {} } = step
    if (typeof captures === 'string') return [{ does: 'send_capture', file: captures }]
    return Object.entries(captures).map(([source, capture]) => ({
      does: 'send_capture',
      source,
      ...(typeof capture === 'string' ? { file: capture } : capture),
    }))
  }
  if (key === 'advance') return [{ does: 'advance', by: step.advance ?? 0 }]
  if (key !== 'crash_and_restore' || !step.crash_and_restore) return []
  return [{ does: 'crash_and_restore' }]
}
