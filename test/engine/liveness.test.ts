import { expect, it } from 'vitest'
import { newCounters } from '../../engine/counters.ts'
import { Flow } from '../../engine/flow.ts'
import { Liveness } from '../../engine/liveness.ts'
import type { PipelineRun } from '../../engine/pipeline_run.ts'

/** A pipeline of one node whose clock the test moves. */
function pipeline() {
  const flow = new Flow()
  const node = newCounters()
  let now = 0
  const run = {
    get isQuiet() {
      return flow.isQuiet
    },
    wired: { flow, counters: new Map([['node', node]]) },
  }
  const life = new Liveness(run as unknown as PipelineRun, () => now)
  return {
    flow,
    node,
    /** Asks every ten seconds for so long. */
    hangsAfter(seconds: number): boolean {
      let hangs = false
      for (const end = now + seconds * 1000; now < end; ) {
        now += 10_000
        hangs = life.hangs
      }
      return hangs
    },
  }
}

it('takes waiting for input for life', () => {
  expect(pipeline().hangsAfter(86_400)).toBe(false)
})

it('takes events in flight that do not move for a hang, after 90 s', () => {
  const { flow, hangsAfter } = pipeline()
  flow.open('source', 1)
  expect(hangsAfter(90)).toBe(false)
  expect(hangsAfter(20)).toBe(true)
})

it('takes a sink that tries again for life, whatever comes of it', () => {
  const { flow, node, hangsAfter } = pipeline()
  flow.open('source', 1)
  for (let day = 0; day < 100; day++) {
    expect(hangsAfter(80)).toBe(false)
    node.retries += 1
  }
})

it('takes it back when something moves after all', () => {
  const { flow, hangsAfter } = pipeline()
  const { token } = flow.open('source', 1)
  flow.open('source', 1)
  expect(hangsAfter(120)).toBe(true)
  token.settle('delivered')
  expect(hangsAfter(10)).toBe(false)
})
