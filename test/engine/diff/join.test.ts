import fc from 'fast-check'
import { expect, it } from 'vitest'
import { joinById } from '../../../engine/diff/join.ts'
import type { Row } from '../../../engine/diff/rows.ts'

const row = ([id, digest]: readonly [string, string]): Row => {
  return { id, digest, time: undefined, at: 0, length: 0 }
}

async function joined(a: Row[], b: Row[], rowsAtOnce: number) {
  const rows = (some: Row[]) =>
    async function* () {
      for (const one of some) yield [one]
    }
  const found: string[] = []
  const visitor = {
    onlyA: ({ id, digest }: Row) => void found.push(`- ${id} ${digest}`),
    onlyB: ({ id, digest }: Row) => void found.push(`+ ${id} ${digest}`),
    changed: (x: Row, y: Row) => void found.push(`~ ${x.id} ${x.digest} ${y.digest}`),
  }
  await joinById(rows(a), rows(b), a.length, visitor, rowsAtOnce)
  return found.sort()
}

const some = fc.array(
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.constantFrom('1', '2')),
)

it('finds the same differences however few rows are held at a time', async () => {
  await fc.assert(
    fc.asyncProperty(some, some, fc.integer({ min: 1, max: 5 }), async (a, b, rowsAtOnce) => {
      const [rowsA, rowsB] = [a.map(row), b.map(row)]
      const whole = await joined(rowsA, rowsB, 1000)
      expect(await joined(rowsA, rowsB, rowsAtOnce)).toEqual(whole)
    }),
  )
})

it('pairs the events of one id in their order', async () => {
  const a = [row(['x', '1']), row(['x', '2']), row(['y', '1'])]
  const b = [row(['x', '1']), row(['x', '3']), row(['x', '4'])]
  expect(await joined(a, b, 1000)).toEqual(['+ x 4', '- y 1', '~ x 2 3'])
})
