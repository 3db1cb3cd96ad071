/** The dashboard in a browser, live, over the real bus: broker, API and clusterer are processes. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import { environment, firstToken, port, type Started, start, startApi } from '../cli/api_process.ts'
import { decnet } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { attackerRow, identityRow, insertRow } from '../web/api/rows.ts'
import { hasBrowser, openBrowser, settled, type Visit, visit } from '../web/dashboard/browser.ts'
import { buildInPlace } from '../web/dashboard/night.ts'

const WINNER = '11111111-0000-4000-8000-000000000001'
const LOSER = '22222222-0000-4000-8000-000000000002'
const CAMPAIGN = '33333333-0000-4000-8000-000000000003'
const ATTACKERS = ['a', 'b'].map((one) => `${one.repeat(8)}-0000-4000-8000-00000000000${one}`)

let browser: Browser
beforeAll(async () => {
  if (!hasBrowser()) return
  await buildInPlace()
  browser = await openBrowser()
})
afterAll(() => browser?.close())

interface Live {
  readonly env: Record<string, unknown>
  readonly database: Database
  readonly token: string
}

/** An API that hears the bus, before a database with two attackers. */
async function live(env: Record<string, unknown>): Promise<Live> {
  const api = await startApi(env)
  const token = await firstToken(/password ([0-9a-f]{32}):/.exec(api.stdout())?.[1] ?? '')
  const database = await openDatabase(String(env.DECNET_DB_URL))
  for (const [index, uuid] of ATTACKERS.entries()) {
    const ip = `192.0.2.${index + 1}`
    await insertRow(database, 'attackers', attackerRow(uuid, ip))
  }
  return { env, database, token }
}

async function openPage({ token }: Live, path: string): Promise<Visit> {
  const visited = await visit(browser, `http://127.0.0.1:${port}`, { token, clock: false })
  await visited.page.goto(path)
  await settled(visited.page)
  await visited.page.getByText('LIVE', { exact: true }).waitFor()
  // Gone after a reload.
  await visited.page.evaluate('window.marked = true')
  return visited
}

const isMarked = (page: Page) => page.evaluate('window.marked === true')

const update = (database: Database, sql: string, values: (string | number | null)[]) =>
  database.transaction((statements) => statements.update(sql, values))

const say = ({ env }: Live, topic: string, payload: object) =>
  expect(decnet(['bus', 'publish', topic, JSON.stringify(payload)], { env })).toMatchObject({
    code: 0,
  })

/** Two identities, each with an address, of which one takes in the other and lets it go again. */
async function mergeAndPart(host: Live, page: Page): Promise<void> {
  const { database } = host
  const merge = 'update attacker_identities set merged_into_uuid = ? where uuid = ?'
  const rows = page.getByRole('group', { name: 'Addresses of this identity' }).locator('tbody tr')
  await update(database, merge, [WINNER, LOSER])
  say(host, 'identity.merged', { winner_uuid: WINNER, loser_uuid: LOSER })
  await page.getByText('MERGED').waitFor()
  await page.getByRole('heading', { name: WINNER }).waitFor()
  await expect.poll(() => rows.count()).toBe(2)
  await update(database, merge, [null, LOSER])
  say(host, 'identity.unmerged', { resurrected_uuid: LOSER, former_winner_uuid: WINNER })
  await page.getByText('MERGED').waitFor({ state: 'detached' })
  await page.getByRole('heading', { name: LOSER }).waitFor()
  await expect.poll(() => rows.count()).toBe(1)
}

async function twoIdentities({ database }: Live): Promise<void> {
  for (const [index, uuid] of [WINNER, LOSER].entries()) {
    await insertRow(database, 'attacker_identities', identityRow(uuid))
    await update(database, 'update attackers set identity_id = ? where uuid = ?', [
      uuid,
      ATTACKERS[index] as string,
    ])
  }
}

/** What a page shows of what others say on the bus, whichever bus it is. */
function testLive(bus: () => Record<string, unknown>): void {
  let host: Live
  let broker: Started | undefined
  beforeEach(async () => {
    const more = bus()
    const env = environment(more)
    broker = more.DECNET_BUS_TYPE === 'unix' ? start(['bus', 'serve'], env) : undefined
    host = await live(env)
    return () => host.database.close()
  }, 60_000)

  it('shows a merge, its undoing and a campaign as they are published, without a reload', async () => {
    await twoIdentities(host)
    const { page, complaints, close } = await openPage(host, `/identities/${LOSER}`)
    await mergeAndPart(host, page)
    await insertRow(host.database, 'campaigns', identityRow(CAMPAIGN))
    const assign = 'update attacker_identities set campaign_id = ? where uuid = ?'
    await update(host.database, assign, [CAMPAIGN, LOSER])
    say(host, 'identity.campaign.assigned', {
      ...{ identity_uuid: LOSER, campaign_uuid: CAMPAIGN, prior_campaign_uuid: null },
    })
    await page.getByRole('link', { name: /^CAMPAIGN/ }).waitFor()
    expect(await isMarked(page)).toBe(true)
    expect(complaints).toEqual([])
    await close()
  })

  it('shows what a clusterer concludes: an identity of an address, and one merged into another', async () => {
    const { page, close } = await openPage(host, `/attackers/${ATTACKERS[1]}`)
    const clusterer = start(['clusterer', '--poll-interval', '1'], host.env)
    const badge = page.getByRole('link', { name: /^IDENTITY/ })
    await badge.waitFor({ timeout: 30_000 })
    const own = await badge.getAttribute('href')
    const identity = await openPage(host, String(own))
    const alike = 'update attackers set fingerprints = ?, updated_at = ? where uuid = ?'
    const fingerprints = JSON.stringify([{ kind: 'ja3', hash: 'e7d705a3286e19ea42f587b344ee6865' }])
    for (const uuid of ATTACKERS) {
      await update(host.database, alike, [fingerprints, Date.now() * 1000, uuid])
    }
    say(host, 'attacker.scored', {})
    const addresses = identity.page
      .getByRole('group', { name: 'Addresses of this identity' })
      .locator('tbody tr')
    await expect.poll(() => addresses.count(), { timeout: 30_000 }).toBe(2)
    expect([await isMarked(page), await isMarked(identity.page)]).toEqual([true, true])
    clusterer.child.kill('SIGTERM')
    expect(await clusterer.exited).toBe(0)
    await identity.close()
    await close()
  }, 120_000)

  it('goes on when the broker was killed and is there again', async () => {
    if (!broker) return
    await twoIdentities(host)
    const { page, close } = await openPage(host, `/identities/${LOSER}`)
    broker.child.kill('SIGKILL')
    await broker.exited
    start(['bus', 'serve'], host.env)
    // Until the API has found it, nobody hears what is said.
    await expect
      .poll(
        async () => {
          const headers = { authorization: `Bearer ${host.token}` }
          const answer = await fetch(`http://127.0.0.1:${port}/api/v1/workers`, { headers })
          return ((await answer.json()) as { bus_connected: boolean }).bus_connected
        },
        { timeout: 30_000 },
      )
      .toBe(true)
    await mergeAndPart(host, page)
    expect(await isMarked(page)).toBe(true)
    await close()
  }, 120_000)
}

describe.skipIf(!hasBrowser())('a page over the bus of one host', () => {
  testLive(() => ({ DECNET_BUS_TYPE: 'unix' }))
})

describe.skipIf(!hasBrowser() || !hasNats())('a page over NATS', () => {
  let nats: NatsService
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats?.stop())
  testLive(() => ({
    ...{ DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: nats.url, DECNET_NATS_PREFIX: `p${port}` },
  }))
})
