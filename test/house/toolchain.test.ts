import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'house-toolchain-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('the toolchain', () => {
  it('runs the tests on the Node that npm ci installs, whatever the system has', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(process.versions.node).toBe(dependencies.node)
  })

  it('pins every dependency to one version', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    )
    const versions = Object.entries({
      ...dependencies,
      ...devDependencies,
      ...optionalDependencies,
    })
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([])
  })

  it('locks the packages of every platform, or npm ci fails (npm run lock adds them)', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    const packages = lock.packages as Record<string, { optionalDependencies?: object }>
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
  })

  it.each([1, 2])('finds command %i of README.md in one line between its markers', (number) => {
    const text = readFileSync(join(root, 'README.md'), 'utf8')
    const marked = `<!-- command ${number} -->\n\`\`\`sh\n(.+)\n\`\`\`\n<!-- /command -->`
    expect(text).toMatch(new RegExp(marked))
  })
})

describe('the tally of .ci/run', () => {
  const test = (status: string) => ({ fullName: `a test that ${status}`, status })
  const file = (status: string, ...tests: object[]) => ({
    name: 'x.test.ts',
    status,
    assertionResults: tests,
  })
  // Where the captures lie beside the checkout, nothing has a reason to be skipped.
  const skippedFails = existsSync(join(root, '../shared/corpus')) ? 1 : 0

  it.each([
    ['what passed', [file('passed', test('passed'), test('passed'))], '2 0'],
    ['what failed, once', [file('failed', test('passed'), test('failed'))], '1 1'],
    ['a file that could not be loaded', [file('failed'), file('passed', test('passed'))], '1 1'],
    ['a file whose clean-up failed', [file('failed', test('passed'))], '1 1'],
    ['what was skipped', [file('passed', test('passed'), test('skipped'))], `1 ${skippedFails}`],
  ])('counts %s', (_, testResults, expected) => {
    expect(tally(JSON.stringify({ testResults }))).toBe(expected)
  })

  it('counts a missing report as a failure', () => {
    expect(tally(undefined)).toBe('0 1')
  })

  function tally(report: string | undefined): string {
    const path = join(scratch, report === undefined ? 'missing.json' : 'report.json')
    if (report !== undefined) writeFileSync(path, report)
    const words = [join(root, '.ci/tally.ts'), path]
    return execFileSync(process.execPath, words, { encoding: 'utf8', stdio: 'pipe' }).trim()
  }
})
