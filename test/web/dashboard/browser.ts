/** A browser that opens the dashboard, as Debian packages it. */
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { NOW } from '../api/api.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
const SHOTS = new URL('../../.screenshots/', import.meta.url).pathname
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

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
}

interface VisitOptions {
  /** of who is logged in; none: nobody */
  readonly token?: string
  readonly theme?: 'light' | 'dark'
  /** false: the page has the time of this host, and can be measured */
  readonly clock?: boolean
}

/** A page of its own, with the clock of the API. */
export async function visit(
  browser: Browser,
  address: string,
  { token, theme = 'light', clock = true }: VisitOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: address,
    viewport: { width: 1440, height: 900 },
    colorScheme: theme,
  })
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
  if (clock) await page.clock.install({ time: NOW })
  if (token !== undefined) {
    await page.addInitScript(`sessionStorage.setItem('decnet.token', ${JSON.stringify(token)})`)
  }
  return { page, context, complaints }
}

/** All that is loading has come. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor()
  await expect.poll(() => page.locator('.skeleton, .app-loading').count()).toBe(0)
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** @returns what of WCAG 2.2 A and AA the page breaks, a line each */
export async function barriers(page: Page): Promise<string[]> {
  // Through the debugger, for the policy of the page lets no such script in.
  const { readFileSync } = await import('node:fs')
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`
  const { violations } = (await page.evaluate(run)) as { violations: readonly Violation[] }
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary = '' }) => {
      const why = failureSummary.split('\n').slice(1, 3).join(' ').trim()
      return `${id}: ${html.slice(0, 160)} ${why}`
    }),
  )
}
