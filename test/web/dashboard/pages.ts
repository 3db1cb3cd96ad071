import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestDatabases } from '../../services/databases.ts'
import { NOW, PASSWORD } from '../api/api.ts'
import { identityRow, insertRow, orchestratorRow, writeLog } from '../api/rows.ts'
import {
  barriers,
  hasBrowser,
  isWide,
  openBrowser,
  setTheme,
  settled,
  shoot,
  visit,
} from './browser.ts'
import { bindAttacker, HOSTILE, type Night, night } from './night.ts'
import { putCapture, replayed } from './replays.ts'

/** As a secret somebody typed. */
const HOSTILE_NAME = '<img src=x onerror=alert(1)>'

/** @returns the whole label of the option that begins so */
const optionOf = async (page: Page, name: string): Promise<string> => {
  const labels = await page.getByLabel('Place').locator('option').allTextContents()
  return labels.find((label) => label.startsWith(`${name} (`)) ?? ''
}

/** Every page in a browser, over the real API on a database. */
export function testPages(database: string, databases: TestDatabases): void {
  describe.skipIf(!hasBrowser())(`pages on ${database}`, () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await openBrowser()
    })
    afterAll(() => browser?.close())

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
      const campaign = await first(
        'select uuid from campaigns order by identity_count desc limit 1',
      )
      const reuse = await first(
        'select id from credential_reuse order by target_count desc limit 1',
      )
      putCapture(api, 'short.log', 200)
      putCapture(api, 'night.log', 2000)
      putCapture(api, 'edited.log', 2000, (line) => line.replace('Spring2026!', HOSTILE_NAME))
      const [before, after] = [await replayed(api, 'night.log'), await replayed(api, 'edited.log')]
      // The first to ask waits for a process.
      await api.get(`/replays/${before}/diff/${after}`, 'ada')
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
        ['replays', '/replay'],
        ['replay', `/replay/${before}`],
        ['replay_diff', `/replay/${before}/diff/${after}`],
        ['workers', '/workers'],
        ['orchestrator', '/orchestrator'],
        ['webhooks', '/webhooks'],
        ['users', '/users'],
        ['not_found', '/nowhere'],
      ] as const) {
        pages.set(name, path)
      }
    }, 180_000)
    afterAll(async () => {
      await api?.close()
      await databases.stop()
    })

    it('are without barriers, faults and overflow in both themes', async () => {
      const { page, complaints, close } = await visit(browser, api.address, { token })
      const found: Record<string, string[]> = {}
      for (const [name, path] of pages) {
        await page.goto(path)
        await settled(page)
        if (name === 'overview' || name === 'pipelines') await rated(page)
        const faults: string[] = []
        for (const theme of ['light', 'dark'] as const) {
          await setTheme(page, theme)
          // Of the rules, those that hang on the theme are those of colours.
          faults.push(...(await barriers(page, theme === 'light' ? 'all' : 'colours')))
          await shoot(page, `${database.toLowerCase()}_${name}_${theme}`)
        }
        faults.push(...complaints.splice(0))
        if (await isWide(page)) faults.push('wider than the window')
        if (faults.length > 0) found[name] = faults
      }
      await close()
      expect(found).toEqual({})
    }, 180_000)

    /** Rates come from two looks. */
    const rated = (page: Page) =>
      expect
        .poll(async () => {
          api.pass(2000)
          await page.clock.runFor(2000)
          return page
            .locator('.figure')
            .filter({ hasText: /^[1-9]\d*\/s/ })
            .count()
        })
        .toBeGreaterThan(0)

    /** What the browser of `ada` has loaded once is there for all her pages. */
    let adas: BrowserContext | undefined
    const open = async (path: string, user = 'ada') => {
      const isAda = user === 'ada'
      const visited = await visit(browser, api.address, {
        token: await api.token(user),
        context: isAda ? adas : undefined,
      })
      const { page, context } = visited
      if (isAda) adas = context
      await page.goto(path)
      await settled(page)
      return { ...visited, close: () => (isAda ? page : context).close() }
    }
    const live = (page: Page) => page.getByText('LIVE', { exact: true }).waitFor()
    /** Marks the page: a mark is gone after a reload. */
    const mark = (page: Page) => page.evaluate('window.marked = true')
    const isMarked = (page: Page) => page.evaluate('window.marked === true')
    const say = (stream: 'identities' | 'campaigns', name: string, payload: object) =>
      api.hubs[stream].publish([
        { name, data: { topic: `x.${name}`, type: '', ts: NOW / 1000, payload } },
      ])
    const update = (sql: string, values: (string | null)[]) =>
      api.database.transaction((statements) => statements.update(sql, values))

    it('ask for a login, and lead back to where one wanted to go', async () => {
      const { page, close } = await visit(browser, api.address)
      await page.goto('/attackers?sort=active')
      await page.getByLabel('Username').fill('ada')
      await page.getByLabel('Password').fill('wrong')
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByText('Incorrect username or password').waitFor()
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_login_light`)
      await page.getByLabel('Password').fill(PASSWORD)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('heading', { name: 'Attackers' }).waitFor()
      expect(new URL(page.url()).search).toBe('?sort=active')
      await page.reload()
      await page.getByRole('heading', { name: 'Attackers' }).waitFor()
      await page.getByRole('button', { name: 'Log out' }).click()
      await page.getByRole('button', { name: 'Log in' }).waitFor()
      await close()
    })

    it('go back to the login when the token has ended', async () => {
      const { page, close } = await open('/credentials', 'zoe')
      const headers = {
        authorization: `Bearer ${await page.evaluate("sessionStorage.getItem('decnet.token')")}`,
      }
      await api.app.inject({ method: 'POST', url: '/api/v1/auth/logout', headers })
      await page.getByRole('link', { name: 'Identities' }).click()
      await page.getByRole('button', { name: 'Log in' }).waitFor()
      expect(new URL(page.url()).searchParams.get('return')).toBe('/identities')
      await close()
    })

    it('let nobody in who has to change the password first', async () => {
      const { page, close } = await visit(browser, api.address, { token: await api.token('new') })
      await page.goto('/attackers')
      await page.getByRole('heading', { name: 'Change password' }).waitFor()
      expect(await barriers(page)).toEqual([])
      const next = `a longer password, ${database}`
      await page.getByLabel('Old password').fill(PASSWORD)
      await page.getByLabel(/^New password, /).fill(next)
      await page.getByLabel('New password again').fill('something else')
      const change = page.getByRole('button', { name: 'Change password' })
      await change.click()
      await page.getByText('The two new passwords differ.').waitFor()
      await page.getByLabel('New password again').fill(next)
      await change.click()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      await close()
    })

    it('show viewers nothing that is for admins', async () => {
      const { page, close } = await open('/workers', 'vic')
      expect(await page.getByRole('button', { name: 'Start all' }).count()).toBe(0)
      expect(await page.getByRole('link', { name: 'Webhooks' }).count()).toBe(0)
      await page.getByRole('link', { name: 'Replay' }).click()
      await page.getByText('Replays are started by admins.').waitFor()
      expect(await page.getByRole('button', { name: /^Delete/ }).count()).toBe(0)
      await close()
    })

    it('show a merge and its undoing as they happen', async () => {
      const winner = pages.get('identity')?.split('/').at(-1) ?? ''
      const loser = '11111111-2222-4333-8444-555555555555'
      await insertRow(api.database, 'attacker_identities', identityRow(loser))
      await bindAttacker(api, loser, 'aaaaaaaa-0000-4000-8000-000000000001', '192.0.2.201')
      const { page, close } = await open(`/identities/${loser}`)
      await live(page)
      await mark(page)
      const rows = page
        .getByRole('group', { name: 'Addresses of this identity' })
        .locator('tbody tr')
      expect(await rows.count()).toBe(1)

      await update('update attacker_identities set merged_into_uuid = ? where uuid = ?', [
        winner,
        loser,
      ])
      say('identities', 'merged', { winner_uuid: winner, loser_uuid: loser })
      await page.getByText('MERGED').waitFor()
      await expect.poll(() => rows.count()).toBe(5)
      await page.getByRole('heading', { name: winner }).waitFor()
      await shoot(page, `${database.toLowerCase()}_merged_light`)

      await update('update attacker_identities set merged_into_uuid = ? where uuid = ?', [
        null,
        loser,
      ])
      say('identities', 'unmerged', { resurrected_uuid: loser, former_winner_uuid: winner })
      await page.getByText('MERGED').waitFor({ state: 'detached' })
      await expect.poll(() => rows.count()).toBe(1)
      await page.getByRole('heading', { name: loser }).waitFor()
      expect(await isMarked(page)).toBe(true)
      await close()
    })

    it('show the badge of a campaign when it is assigned', async () => {
      const campaign = pages.get('campaign')?.split('/').at(-1) ?? ''
      const identity = '11111111-2222-4333-8444-666666666666'
      await insertRow(api.database, 'attacker_identities', identityRow(identity))
      const { page, close } = await open(`/identities/${identity}`)
      await live(page)
      await update('update attacker_identities set campaign_id = ? where uuid = ?', [
        campaign,
        identity,
      ])
      say('identities', 'campaign.assigned', {
        identity_uuid: identity,
        campaign_uuid: campaign,
        prior_campaign_uuid: null,
      })
      await page.getByRole('link', { name: /^CAMPAIGN/ }).click()
      await page.getByRole('heading', { name: campaign }).waitFor()
      await close()
    })

    it('draw the evidence of an identity, with the bridges that hold it together', async () => {
      const { page, close } = await open(pages.get('identity') ?? '')
      const graph = page.getByRole('region', { name: 'Evidence of this identity' })
      await graph.locator('.react-flow__node').first().waitFor()
      const told = Number(
        /\d+(?= bridge)/.exec((await page.locator('.legend').textContent()) ?? '')?.[0],
      )
      expect(told).toBeGreaterThan(0)
      expect(await graph.locator('.edge-bridge').count()).toBeGreaterThanOrEqual(told)
      await graph.getByText('203.0.113.61').click()
      await page.getByRole('heading', { name: '203.0.113.61' }).waitFor()
      await page.getByText('Known from').waitFor()
      await close()
    })

    it('show events as they come in, and what is hostile as text', async () => {
      const { page, complaints, close } = await open('/')
      await live(page)
      await mark(page)
      await writeLog(api.database, { seconds: 1, decky: 'live-99', msg: HOSTILE })
      await page.getByText('live-99 · ssh · connect').first().waitFor()
      expect(await page.getByText('\\u202egnp.exe').count()).toBeGreaterThan(0)
      expect(await page.locator('img').count()).toBe(0)
      expect(await isMarked(page)).toBe(true)
      expect(complaints).toEqual([])
      await close()
    })

    it('find logs, follow them live, and open one', async () => {
      const { page, close } = await open('/live-logs?range=all')
      await page.getByLabel('Search logs').fill('decky:web-01 event:command')
      await expect.poll(() => new URL(page.url()).searchParams.get('search')).toContain('decky')
      const rows = page.getByRole('group', { name: 'Logs' }).locator('tbody tr')
      await expect.poll(() => rows.first().textContent()).toContain('command')
      await rows.first().click()
      const drawer = page.getByRole('dialog')
      await drawer.getByText('As it was sent').waitFor()
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_log_drawer_light`)
      await page.keyboard.press('Escape')
      await drawer.waitFor({ state: 'detached' })
      await page.getByLabel('Search logs').fill('')
      await page.getByRole('button', { name: 'Go live' }).click()
      await live(page)
      await writeLog(api.database, { seconds: 2, decky: 'live-98' })
      await rows.filter({ hasText: 'live-98' }).first().waitFor()
      await close()
    })

    it('replay a capture, and go to any moment of it by the keyboard', async () => {
      const { page, close, complaints } = await open('/replay')
      await page.getByRole('row', { name: /short\.log/ }).press('Enter')
      const start = page.getByRole('button', { name: 'Start' })
      await page.getByRole('checkbox', { name: 'ingest' }).uncheck()
      for (const name of ['profiler', 'clusterer', 'campaign-clusterer', 'reuse-correlator']) {
        await page.getByRole('checkbox', { name, exact: true }).uncheck()
      }
      expect(await start.isDisabled()).toBe(true)
      await page.getByRole('checkbox', { name: 'ingest' }).check()
      await shoot(page, `${database.toLowerCase()}_replay_start_light`)
      await start.click()
      await page.getByRole('heading', { name: 'short.log' }).waitFor()
      await page.getByText('DONE').waitFor({ timeout: 30_000 })

      const moment = page.getByRole('slider', { name: 'Moment' })
      await moment.focus()
      await page.keyboard.press('Home')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('ArrowRight')
      const told = (await moment.getAttribute('aria-valuetext')) ?? ''
      const inAddress = () => {
        const at = Number(new URL(page.url()).searchParams.get('at'))
        return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
      }
      await expect.poll(inAddress).toBe(told.slice(0, 19))
      const events = page.getByRole('group', { name: 'Events up to this moment' })
      await expect.poll(() => events.locator('tbody tr').count()).toBeGreaterThan(0)
      await page.reload()
      await expect.poll(() => moment.getAttribute('aria-valuetext')).toBe(told)
      await page.getByRole('button', { name: 'Play' }).click()
      await expect.poll(() => moment.getAttribute('aria-valuetext')).not.toBe(told)
      await page.getByRole('button', { name: 'Pause' }).click()

      await page.getByLabel('Place').selectOption({ label: await optionOf(page, 'secrets') })
      await page.getByRole('button', { name: 'To the end' }).click()
      await events.locator('tbody tr').first().getByText('credential.captured').waitFor()
      await events.locator('tbody tr').first().click()
      await page.getByRole('button', { name: /^Where it came from/ }).click()
      await page.getByRole('dialog').getByText('written', { exact: true }).first().waitFor()
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_replay_event_light`)
      expect(complaints).toEqual([])
      await close()
    }, 60_000)

    it('show where two replays part, and what is hostile in it as text', async () => {
      const { page, close } = await open(pages.get('replay_diff') ?? '')
      await page.getByText('read something else').first().waitFor()
      await page
        .getByRole('button', { name: /(?:changed|added) in secrets/ })
        .first()
        .click()
      const drawer = page.getByRole('dialog')
      await drawer.getByText('data.secret_printable').first().waitFor()
      expect(await page.locator('img').count()).toBe(0)
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_replay_changes_light`)
      await close()
    })

    it('create a webhook, show its secret once, pause and delete it', async () => {
      const { page, close } = await open('/webhooks')
      await page.getByRole('button', { name: 'New webhook' }).click()
      await page.getByLabel('Name').fill('siem')
      await page.getByLabel('URL').fill('https://siem.example/hooks')
      const create = page.getByRole('button', { name: 'Create' })
      await create.click()
      await page.getByText('Choose at least one').waitFor()
      await page.getByLabel(/AttackerDetail/).check()
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_webhook_form_light`)
      await create.click()
      const secret = page.getByRole('dialog', { name: 'The secret of this webhook' })
      expect(await secret.locator('.once').textContent()).toMatch(/^[\w-]{43}/)
      await shoot(page, `${database.toLowerCase()}_webhook_secret_light`)
      await page.getByRole('button', { name: 'I have it' }).click()
      const row = page.getByRole('row', { name: /siem/ })
      await row.getByText('attacker.>').waitFor()
      await row.getByRole('switch').click()
      await row.getByText('paused').waitFor()
      await shoot(page, `${database.toLowerCase()}_webhooks_filled_light`)
      await row.getByRole('button', { name: 'Delete siem' }).click()
      await page.getByRole('button', { name: 'Delete', exact: true }).click()
      await page.getByText('Nothing is sent anywhere').waitFor()
      await close()
    })

    it('create a user, show the password once, reset it and remove the user', async () => {
      const { page, close } = await open('/users')
      await page.getByRole('button', { name: 'New user' }).click()
      await page.getByLabel('Username').fill('eve evil')
      const create = page.getByRole('button', { name: 'Create' })
      await create.click()
      await page.getByText('A name begins with').waitFor()
      await page.getByLabel('Username').fill('eve')
      expect(await barriers(page)).toEqual([])
      await shoot(page, `${database.toLowerCase()}_user_form_light`)
      // The keyboard is enough: a form is sent by Enter, a dialog answered by its buttons.
      await page.getByLabel('Username').press('Enter')
      const shown = page.getByRole('dialog', { name: 'The password of eve' })
      expect(await shown.locator('.once').textContent()).toMatch(/^[\w-]{24}/)
      await page.getByRole('button', { name: 'I have it' }).press('Enter')
      const row = page.getByRole('row', { name: /eve/ })
      await row.getByText('to be changed').waitFor()
      await row.getByRole('button', { name: 'Make admin: eve' }).click()
      await page.getByRole('button', { name: 'Change', exact: true }).click()
      await row.getByText('admin', { exact: true }).waitFor()
      await row.getByRole('button', { name: 'Reset the password of eve' }).click()
      expect(await barriers(page)).toEqual([])
      await page.getByRole('button', { name: 'Reset', exact: true }).click()
      await shown.waitFor()
      await page.keyboard.press('Escape')
      const mine = page.getByRole('row', { name: /ada/ })
      expect(await mine.getByRole('button', { name: 'Remove ada' }).isDisabled()).toBe(true)
      await row.getByRole('button', { name: 'Remove eve' }).press('Enter')
      await shoot(page, `${database.toLowerCase()}_user_remove_light`)
      await page.getByRole('button', { name: 'Remove', exact: true }).click()
      await row.waitFor({ state: 'detached' })
      await close()
    })

    it('show what the orchestrator does as it does it, until they are paused', async () => {
      const { page, close } = await open('/orchestrator')
      await live(page)
      const rows = page.getByRole('group', { name: 'Actions' }).locator('tbody tr')
      const before = await rows.count()
      const act = async (seconds: number, dst: string) => {
        await insertRow(api.database, 'orchestrator_events', orchestratorRow(seconds, dst))
        const data = { topic: 'orchestrator.file.x', type: 'file', ts: NOW / 1000, payload: {} }
        api.hubs.orchestrator.publish([{ name: 'file', data }])
      }
      await act(10, 'local:fresh-01')
      await rows.first().getByText('local:fresh-01').waitFor()
      await page.getByRole('button', { name: 'Pause' }).click()
      await act(11, 'local:fresh-02')
      await page.clock.runFor(2000)
      expect(await rows.first().textContent()).toContain('local:fresh-01')
      await page.getByRole('button', { name: 'Go on' }).click()
      await rows.first().getByText('local:fresh-02').waitFor()
      expect(await rows.count()).toBe(before + 2)
      await page.getByRole('button', { name: 'traffic', exact: true }).click()
      await expect.poll(() => page.getByText('local:fresh-02').count()).toBe(0)
      await rows.first().click()
      await page.getByRole('dialog').getByText('Connection refused').first().waitFor()
      expect(await barriers(page)).toEqual([])
      await close()
    })

    it('open streams without a token in any address', async () => {
      const { page, context } = await visit(browser, api.address, { token })
      const addresses: string[] = []
      page.on('request', (request) => void addresses.push(request.url()))
      await page.goto('/identities')
      await live(page)
      const streams = addresses.filter((address) => address.includes('/identities/events'))
      expect(streams).toEqual([expect.stringMatching(/\?ticket=[\w-]{43}$/)])
      expect(addresses.filter((address) => address.includes(token))).toEqual([])
      await context.close()
    })

    it('go by the keyboard', async () => {
      const { page, close } = await open('/attackers')
      await page.keyboard.press('Tab')
      await page.getByRole('link', { name: 'Skip to content' }).press('Enter')
      const rows = page.getByRole('group', { name: 'Attackers' }).locator('tbody tr')
      await rows.first().focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowDown')
      const third = (await rows.nth(2).locator('td').first().textContent()) ?? ''
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: third }).waitFor()
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement !== document.body')).toBe(true)
      await close()
    })

    it('keep what is filtered, sorted and chosen in their address', async () => {
      const { page, close } = await open('/attackers')
      await page.getByRole('button', { name: 'Events' }).click()
      await page.getByLabel('Part of an address').fill('203.0.113')
      await expect.poll(() => new URL(page.url()).search).toBe('?sort=active&search=203.0.113')
      const cells = page
        .getByRole('group', { name: 'Attackers' })
        .locator('tbody tr td:first-child')
      await expect
        .poll(async () => (await cells.allTextContents()).every((ip) => ip.startsWith('203.0.113')))
        .toBe(true)
      await page.getByLabel('Part of an address').fill('nobody')
      await page.getByText('No address matches').waitFor()
      await page.goto('/credentials/reuse')
      await settled(page)
      await page.getByRole('group', { name: 'Reused secrets' }).locator('tbody tr').first().click()
      await page.getByRole('dialog').getByText('Where it was tried').waitFor()
      await page.reload()
      await page.getByRole('dialog').getByText('Where it was tried').waitFor()
      await page.keyboard.press('Escape')
      await expect.poll(() => new URL(page.url()).search).toBe('')
      await close()
    })

    it('say what is wrong, and try again', async () => {
      const { page, close } = await visit(browser, api.address, { token })
      let broken = true
      // What a stream says has the page ask again, at any moment.
      await page.route('**/api/v1/campaigns/events*', (route) => route.abort())
      await page.route('**/api/v1/campaigns?*', (route) =>
        broken
          ? route.fulfill({ status: 422, json: { detail: 'out of order' } })
          : route.continue(),
      )
      await page.goto('/campaigns')
      await page.getByText('out of order').waitFor()
      expect(await barriers(page)).toEqual([])
      broken = false
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('group', { name: 'Campaigns' }).locator('tbody tr a').first().waitFor()
      await page.goto('/identities/nobody')
      await page.getByText('Identity not found').waitFor()
      await close()
    })

    it('have both themes by choice, and remember it', async () => {
      const { page, close } = await visit(browser, api.address, { token })
      await page.goto('/')
      const background = () =>
        page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
      const light = await background()
      // A canvas is drawn in colours of the moment; the system may change its mind.
      const bars = () => page.evaluate("document.querySelector('.chart canvas')?.toDataURL()")
      await settled(page)
      const lightBars = await bars()
      await page.emulateMedia({ colorScheme: 'dark' })
      await expect.poll(bars).not.toBe(lightBars)
      await page.emulateMedia({ colorScheme: 'light' })
      await expect.poll(bars).toBe(lightBars)
      await page.getByRole('button', { name: /^Theme: system/ }).click()
      expect(await background()).toBe(light)
      await page.getByRole('button', { name: /^Theme: light/ }).click()
      await expect.poll(background).not.toBe(light)
      await page.reload()
      await expect.poll(background).not.toBe(light)
      await close()
    })

    it('move nothing when live rows come in', async () => {
      const { page, close } = await open('/')
      await live(page)
      await page.evaluate(`window.shifts = 0
        new PerformanceObserver((list) => {
          for (const one of list.getEntries()) window.shifts += one.value
        }).observe({ type: 'layout-shift' })`)
      // One alone, and several at once.
      for (const rows of [[0], [1, 2, 3, 4]]) {
        for (const n of rows) await writeLog(api.database, { seconds: 3 + n, decky: `still-${n}` })
        for (const n of rows) await page.getByText(`still-${n} · ssh`).first().waitFor()
      }
      await page.clock.runFor(12_000)
      await settled(page)
      expect(await page.evaluate('window.shifts')).toBeLessThan(0.02)
      await close()
    })

    it('fit a small window', async () => {
      const { page, close } = await open('/attackers')
      await page.setViewportSize({ width: 420, height: 800 })
      for (const path of [
        '/',
        '/attackers',
        pages.get('attacker') ?? '',
        pages.get('replay') ?? '',
      ]) {
        await page.goto(path)
        await settled(page)
        expect(await isWide(page), path).toBe(false)
      }
      await shoot(page, `${database.toLowerCase()}_small_light`)
      await close()
    })
  })
}
