/** The dashboard in a browser, live, over the real bus: broker, API and clusterer are processes. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { writeEvents } from '../../store/write_events.ts'
import { environment, firstToken, port, type Started, start, startApi } from '../cli/api_process.ts'
import { decnet } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { attackerEvent } from '../store/events.ts'
import { campaignRow, identityRow, insertRow } from '../web/api/rows.ts'
import { hasBrowser, openBrowser, settled, type Visit, visit } from '../web/dashboard/browser.ts'
import { buildInPlace } from '../web/dashboard/night.ts'

const WINNER = '11111111-0000-4000-8000-000000000001'
const LOSER = '22222222-0000-4000-8000-000000000002'
const CAMPAIGN = '33333333-0000-4000-8000-000000000003'
const ADDRESSES = ['192.0.2.1', '192.0.2.2']
const ATTACKERS = ADDRESSES.map(attackerUuid)

/** Of a busy machine. */
const PATIENT = { timeout: 12_000 }

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
  await profile(database, 1)
  return { env, database, token }
}

/** Profiles of two addresses; from the second round on they have a fingerprint in common. */
async function profile(database: Database, round: number): Promise<void> {
  const fingerprints =
    round === 1 ? [] : [{ kind: 'ja3', hash: 'e7d705a3286e19ea42f587b344ee6865' }]
  const events = ADDRESSES.map((attacker_ip, index) =>
    attackerEvent(round * 10 + index, {
      ...{ attacker_ip, attacker_uuid: ATTACKERS[index], event_count: round, fingerprints },
      evidence: { payload_hashes: [], c2_endpoints: [], sessions: [] },
      updated_at: new Date(Date.UTC(2026, 2, round)).toISOString(),
    }),
  )
  await writeEvents(database, 'attacker', events)
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

const MERGE = 'update attacker_identities set merged_into_uuid = ? where uuid = ?'
const addressRows = (page: Page) =>
  page.getByRole('group', { name: 'Addresses of this identity' }).locator('tbody tr')

/** One identity takes in another, whose page it is. */
async function merge(host: Live, page: Page): Promise<void> {
  await update(host.database, MERGE, [WINNER, LOSER])
  say(host, 'identity.merged', { winner_uuid: WINNER, loser_uuid: LOSER })
  await page.getByText('MERGED').waitFor()
  await page.getByRole('heading', { name: WINNER }).waitFor()
  await expect.poll(() => addressRows(page).count(), PATIENT).toBe(2)
}

/** And lets it go again. */
async function part(host: Live, page: Page): Promise<void> {
  await update(host.database, MERGE, [null, LOSER])
  say(host, 'identity.unmerged', { resurrected_uuid: LOSER, former_winner_uuid: WINNER })
  await page.getByText('MERGED').waitFor({ state: 'detached' })
  await page.getByRole('heading', { name: LOSER }).waitFor()
  await expect.poll(() => addressRows(page).count(), PATIENT).toBe(1)
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

interface TestBus {
  /** whether what is said is kept for those who do not listen just then */
  readonly keeps: boolean
  /** @returns what a process needs to find it */
  start(): Promise<Record<string, unknown>>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  startAgain(): Promise<void>
}

/** What a page shows of what others say on the bus, whichever bus it is. */
function testLive(bus: TestBus): void {
  let host: Live
  beforeEach(async () => {
    host = await live(environment(await bus.start()))
    return () => host.database.close()
  }, 60_000)

  it('shows a merge, its undoing and a campaign as they are published, without a reload', async () => {
    await twoIdentities(host)
    const { page, complaints, close } = await openPage(host, `/identities/${LOSER}`)
    await merge(host, page)
    await part(host, page)
    await insertRow(host.database, 'campaigns', campaignRow(CAMPAIGN))
    const assign = 'update attacker_identities set campaign_id = ? where uuid = ?'
    await update(host.database, assign, [CAMPAIGN, LOSER])
    say(host, 'identity.campaign.assigned', {
      ...{ identity_uuid: LOSER, campaign_uuid: CAMPAIGN, prior_campaign_uuid: null },
    })
    await page.getByRole('link', { name: /^CAMPAIGN/ }).waitFor()
    expect(await isMarked(page)).toBe(true)
    expect(complaints).toEqual([])
    // The graph of the pipeline that brought them shows that they passed.
    await page.goto('/pipelines?name=api')
    const edge = page
      .getByRole('group', { name: 'Edges of api' })
      .getByRole('row', { name: /^identities identity_stream/ })
    await expect.poll(() => edge.locator('td').nth(3).textContent(), PATIENT).toBe('3')
    await close()
  })

  it('shows what a clusterer concludes: an identity of an address, and one merged into another', async () => {
    const { page, close } = await openPage(host, `/attackers/${ATTACKERS[1]}`)
    const clusterer = start(['clusterer', '--poll-interval', '1'], host.env)
    const badge = page.getByRole('link', { name: /^IDENTITY/ })
    await badge.waitFor({ timeout: 30_000 })
    const own = await badge.getAttribute('href')
    const identity = await openPage(host, String(own))
    await profile(host.database, 2)
    say(host, 'attacker.scored', {})
    await expect.poll(() => addressRows(identity.page).count(), { timeout: 30_000 }).toBe(2)
    expect([await isMarked(page), await isMarked(identity.page)]).toEqual([true, true])
    clusterer.child.kill('SIGTERM')
    expect(await clusterer.exited).toBe(0)
    await identity.close()
    await close()
  }, 120_000)

  it('shows what happened while the broker was away, and goes on', async () => {
    await twoIdentities(host)
    const { page, close } = await openPage(host, `/identities/${LOSER}`)
    await bus.kill()
    await update(host.database, MERGE, [WINNER, LOSER])
    await bus.startAgain()
    // Of a bus that keeps nothing, a page learns that it was away, and asks anew.
    if (bus.keeps) say(host, 'identity.merged', { winner_uuid: WINNER, loser_uuid: LOSER })
    await page.getByText('MERGED').waitFor({ timeout: 30_000 })
    await part(host, page)
    expect(await isMarked(page)).toBe(true)
    await close()
  }, 120_000)
}

describe.skipIf(!hasBrowser())('a page over the bus of one host', () => {
  const serve = () => start(['bus', 'serve'], environment())
  let broker: Started
  testLive({
    keeps: false,
    async start() {
      broker = serve()
      return {}
    },
    async kill() {
      broker.child.kill('SIGKILL')
      await broker.exited
    },
    async startAgain() {
      broker = serve()
    },
  })
})

describe.skipIf(!hasBrowser() || !hasNats())('a page over NATS', () => {
  let nats: NatsService
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats?.stop())
  testLive({
    keeps: true,
    start: async () => ({
      ...{ DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: nats.url, DECNET_NATS_PREFIX: `p${port}` },
    }),
    kill: () => nats.kill(),
    startAgain: () => nats.start(),
  })
})
