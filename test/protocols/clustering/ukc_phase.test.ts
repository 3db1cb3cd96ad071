import { expect, it } from 'vitest'
import { isObservable, isPhase, PHASES, stageOf } from '../../../protocols/clustering/ukc_phase.ts'

it('knows 19 phases in three stages, of which a honeypot sees 15', () => {
  const stages = Map.groupBy(PHASES, stageOf)
  const sizes = [...stages].map(([stage, { length }]) => [stage, length])
  expect(Object.fromEntries(sizes)).toEqual({ in: 9, through: 6, out: 4 })
  expect(PHASES.filter(isObservable)).toHaveLength(15)
  expect(isPhase('lateral_movement')).toBe(true)
  expect(isPhase('toString')).toBe(false)
})
