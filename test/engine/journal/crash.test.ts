import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { scratchFolder } from '../../cli/decnet.ts'
import { crashAndRecover } from '../../long/journal_crash.ts'

it('delivers every journalled line of a TCP source once after kill -9, and replays to the same bytes', async () => {
  const dir = scratchFolder()
  const { journalled, delivered, live, replayed } = await crashAndRecover(dir, [150, 400])
  expect(journalled.length).toBeGreaterThan(50)
  expect(delivered).toEqual(journalled)
  expect(replayed).toBe(live)
  rmSync(dir, { recursive: true })
})
