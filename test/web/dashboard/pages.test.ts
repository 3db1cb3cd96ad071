import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabases } from '../../services/databases.ts'
import { barriers, hasBrowser, openBrowser, settled, shoot, visit } from './browser.ts'
import { type Night, night } from './night.ts'

describe.skipIf(!hasBrowser())('pages', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  describe.each(testDatabases)('on %s', (database, databases) => {
    let api: Night
    let token: string
    const pages = new Map<string, string>()
    beforeAll(async () => {
      await databases.start()
      api = await night(await databases.fresh())
      token = await api.token('ada')
      const first = async (sql: string) =>
        String(Object.values((await api.database.select(sql))[0] ?? {})[0])
      const attacker = await first('select uuid from attackers order by event_count desc limit 1')
      const identity = await first(
        'select identity_id from attackers group by identity_id order by count(*) desc limit 1',
      )
      const campaign = await first('select uuid from campaigns limit 1')
      const reuse = await first(
        'select id from credential_reuse order by target_count desc limit 1',
      )
      for (const [name, path] of [
        ['overview', '/'],
        ['pipelines', '/pipelines?name=ingest'],
        ['logs', '/live-logs'],
        ['attackers', '/attackers'],
        ['attacker', `/attackers/${attacker}`],
        ['identities', '/identities'],
        ['identity', `/identities/${identity}`],
        ['campaigns', '/campaigns'],
        ['campaign', `/campaigns/${campaign}`],
        ['credentials', '/credentials'],
        ['reuse', '/credentials/reuse'],
        ['reuse_drawer', `/credentials/reuse?open=${reuse}`],
        ['workers', '/workers'],
        ['webhooks', '/webhooks'],
        ['not_found', '/nowhere'],
      ] as const) {
        pages.set(name, path)
      }
    }, 180_000)
    afterAll(async () => {
      await api?.close()
      await databases.stop()
    })

    it.each(['light', 'dark'] as const)(
      'are without barriers, faults and overflow in the %s theme',
      async (theme) => {
        const { page, context, complaints } = await visit(browser, api.address, { token, theme })
        const found: Record<string, string[]> = {}
        for (const [name, path] of pages) {
          await page.goto(path)
          await settled(page)
          await page.clock.runFor(2500)
          await settled(page)
          const wide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth'
          const faults = [
            ...(await barriers(page)),
            ...complaints.splice(0),
            ...((await page.evaluate(wide)) ? ['wider than the window'] : []),
          ]
          if (faults.length > 0) found[name] = faults
          await shoot(page, `${database.toLowerCase()}_${name}_${theme}`)
        }
        await context.close()
        expect(found).toEqual({})
      },
      180_000,
    )
  })
})
