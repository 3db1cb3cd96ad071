import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestApi, testApi } from '../api/api.ts'
import { at } from '../api/rows.ts'
import { hasBrowser, openBrowser, visit } from './browser.ts'
import { buildDashboard } from './night.ts'

const ATTACKERS = 100_000
/** What the whole dashboard may be, in bytes as they are sent. */
const BUNDLE = 350_000

describe.skipIf(!hasBrowser())('100,000 attackers', () => {
  let browser: Browser
  let built: Awaited<ReturnType<typeof buildDashboard>>
  let api: TestApi
  let address: string
  beforeAll(async () => {
    built = await buildDashboard()
    api = await testApi({ settings: { dashboard: built.dashboard } })
    await manyAttackers(api)
    address = await api.listen()
    browser = await openBrowser()
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await api?.close()
    await built?.remove()
  })

  it('are a table that is there at once', async () => {
    const token = await api.token('ada')
    const times: number[] = []
    for (let n = 0; n < 3; n += 1) {
      const { page, context } = await visit(browser, address, { token, clock: false })
      const since = performance.now()
      await page.goto('/attackers', { waitUntil: 'commit' })
      await page.locator('tbody tr a').first().waitFor()
      times.push(performance.now() - since)
      expect(await page.getByText('1–50 of 100,000').count()).toBe(1)
      await context.close()
    }
    process.stderr.write(
      `first view of 100,000 attackers: ${times.map(Math.round).join(', ')} ms\n`,
    )
    // 450 ms on two idle cores; here other tests run beside it.
    expect(Math.min(...times)).toBeLessThan(2500)
  })

  it('come with no more than 350 kB of files', () => {
    const files = readdirSync(built.dashboard, { recursive: true, withFileTypes: true })
    const sizes = files
      .filter((file) => file.isFile())
      .map((file) => gzipSync(readFileSync(join(file.parentPath, file.name))).length)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUNDLE)
  })
})

async function manyAttackers({ database }: TestApi): Promise<void> {
  const columns = [
    ...['uuid', 'ip', 'first_seen', 'last_seen', 'event_count', 'service_count', 'services'],
    ...['decky_count', 'deckies', 'is_traversal', 'bounty_count', 'credential_count'],
    ...['fingerprints', 'commands', 'updated_at'],
  ]
  for (let from = 0; from < ATTACKERS; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, index) => {
      const n = from + index
      const ip = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
      const seen = at(-n)
      const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
      return [uuid, ip, seen, seen, n, 1, '["ssh"]', 1, '["web-01"]', 0, 0, 0, '[]', '[]', seen]
    })
    await database.transaction((statements) =>
      statements.insert({ table: 'attackers', columns }, rows),
    )
  }
}
