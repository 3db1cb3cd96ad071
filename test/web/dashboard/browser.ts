/** A browser that opens the dashboard, as Debian packages it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { NOW } from '../api/api.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const SHOTS = new URL('../../.screenshots/', import.meta.url).pathname
let axeText: string | undefined
const axe = (): string =>
  (axeText ??= readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))

/** @returns false where there is none: such tests are skipped, and CI fails */
export function hasBrowser(): boolean {
  if (CHROMIUM !== undefined) return true
  if (process.env.CI === 'true') throw new Error('chromium is not installed')
  process.stderr.write('chromium is not installed: the pages of the dashboard are not tested\n')
  return false
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  })

export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** what the page has complained about: errors of scripts, and what the policy has refused */
  readonly complaints: string[]
  /** the page, and its browser where that is its own */
  close(): Promise<void>
}

interface VisitOptions {
  /** of who is logged in; none: nobody */
  readonly token?: string
  readonly theme?: 'light' | 'dark'
  /** false: the page has the time of this host, and can be measured */
  readonly clock?: boolean
  /** the one it shares with earlier pages; else it has one of its own */
  readonly context?: BrowserContext | undefined
}

/** A page of its own, with the clock of the API. */
export async function visit(
  browser: Browser,
  address: string,
  { token, theme = 'light', clock = true, context: earlier }: VisitOptions = {},
): Promise<Visit> {
  const context =
    earlier ??
    (await browser.newContext({
      baseURL: address,
      viewport: { width: 1440, height: 900 },
      colorScheme: theme,
    }))
  // Sooner than the test gives up, so that it is told what was waited for.
  context.setDefaultTimeout(12_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // A status that a page shows is told by the browser as well.
    const isStatus = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isStatus) complaints.push(message.text())
  })
  if (clock && !earlier) await page.clock.install({ time: NOW })
  if (token !== undefined) {
    await page.addInitScript(`sessionStorage.setItem('decnet.token', ${JSON.stringify(token)})`)
  }
  const close = () => (earlier ? page : context).close()
  return { page, context, complaints, close }
}

/** All that is loading has come. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await expect
    .poll(() => page.locator('.skeleton, .app-loading').count(), { interval: 20, timeout: 12_000 })
    .toBe(0)
}

/** Changes the theme, without the time it takes for colours to fade. */
export async function setTheme(page: Page, theme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: theme })
  await page.evaluate(`for (const one of document.getAnimations())
    if (one instanceof CSSTransition) one.finish()`)
}

/** Whether something in it is wider than its window. */
export const isWide = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** Those of the standards that look at colours. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** @returns what of WCAG 2.2 A and AA the page breaks, a line each */
export async function barriers(page: Page, rules: 'all' | 'colours' = 'all'): Promise<string[]> {
  // Through the debugger, for the policy of the page lets no such script in.
  if (await page.evaluate('window.axe === undefined')) await page.evaluate(axe())
  const runOnly = rules === 'all' ? STANDARDS : COLOUR_RULES
  const run = `axe.run(document, ${JSON.stringify({ runOnly, resultTypes: ['violations'] })})`
  const { violations } = (await page.evaluate(run)) as { violations: readonly Violation[] }
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary = '' }) => {
      const why = failureSummary.split('\n').slice(1, 3).join(' ').trim()
      return `${id}: ${html.slice(0, 160)} ${why}`
    }),
  )
}
