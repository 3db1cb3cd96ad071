import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chunks, type Insert, insertSql, isOneOf } from '../../store/insert.ts'

const INSERT: Insert = {
  table: 't',
  columns: ['a', 'b'],
  key: ['a'],
  merge: (incoming) => [['b', `b + ${incoming('b')}`]],
}

it('writes what a repeat does in the words of each database', () => {
  expect(insertSql(INSERT, 'sqlite', 1)).toBe(
    'insert into t (a, b) values (?, ?) on conflict (a) do update set b = b + excluded.b',
  )
  expect(insertSql(INSERT, 'mysql', 2)).toBe(
    'insert into t (a, b) values (?, ?), (?, ?) on duplicate key update b = b + values(b)',
  )
})

it('has SQLite keep no journal for each statement of several rows', () => {
  expect(insertSql({ table: 't', columns: ['a'] }, 'sqlite', 2)).toBe(
    'insert or fail into t (a) values (?), (?)',
  )
})

it('drops a repeat, but nothing else, where nothing is merged', () => {
  const { merge: _, ...plain } = INSERT
  expect(insertSql(plain, 'sqlite', 1)).toMatch(/ on conflict \(a\) do nothing$/)
  expect(insertSql(plain, 'mysql', 1)).toMatch(/ on duplicate key update a = a$/)
})

it('lets a repeat fail where no key is given', () => {
  expect(insertSql({ table: 't', columns: ['a'] }, 'mysql', 1)).toBe('insert into t (a) values (?)')
})

it('asks for several tuples', () => {
  expect(isOneOf(['a', 'b'], 2, 'sqlite')).toBe('(a, b) in (values (?, ?), (?, ?))')
  expect(isOneOf(['a', 'b'], 2, 'mysql')).toBe('(a, b) in ((?, ?), (?, ?))')
})

it('cuts rows into few sizes, in order, under the budget unless one row is over it', () => {
  const row = fc.tuple(fc.nat(), fc.string({ maxLength: 50 }))
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 100 }),
      fc.integer({ min: 1, max: 32 }),
      (rows, most) => {
        const parts = [...chunks(rows, most, 100)]
        expect(parts.flat()).toEqual(rows)
        for (const part of parts) {
          expect(Number.isInteger(Math.log2(part.length))).toBe(true)
          expect(part.length).toBeLessThanOrEqual(most)
          const size = part.reduce((sum, [, text]) => sum + 8 + text.length, 0)
          expect(part.length === 1 || size <= 100).toBe(true)
        }
      },
    ),
  )
})
