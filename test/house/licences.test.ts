import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)

/** Ask nothing of our users but to keep a notice. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

/** An SPDX expression of one level, as npm packages write them: `MIT`, `(MIT OR GPL-3.0)`. */
function isPermissive(expression: string): boolean {
  const choices = expression.replace(/^\(|\)$/g, '').split(' OR ')
  return choices.some((choice) => choice.split(' AND ').every((name) => permissive.has(name)))
}

/** What is installed with the product: path in node_modules and licence. */
function shippedPackages(): [path: string, licence: string][] {
  const lock = readJson('package-lock.json') as {
    packages: Record<string, { dev?: boolean; license?: string }>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { license }]) => [path, license ?? ownLicence(path)])
}

function ownLicence(path: string): string {
  const file = `${path}/package.json`
  if (!existsSync(new URL(file, root))) return 'unknown'
  return (readJson(file) as { license?: string }).license ?? 'unknown'
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, root), 'utf8'))
}

describe('the licences of what we ship', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND Apache-2.0', true],
    ['MIT AND GPL-3.0-only', false],
    ['LGPL-3.0-or-later', false],
    ['unknown', false],
  ])('tells whether %s is permissive', (expression, expected) => {
    expect(isPermissive(expression)).toBe(expected)
  })

  it('are permissive, every one', () => {
    const shipped = shippedPackages()
    expect(shipped.length).toBeGreaterThan(20)
    expect(shipped.filter(([, licence]) => !isPermissive(licence))).toEqual([])
  })

  it('are matched by our own, which package.json names as well', () => {
    expect(readFileSync(new URL('LICENSE', root), 'utf8')).toMatch(/^MIT License\n/)
    expect(readJson('package.json')).toMatchObject({ license: 'MIT' })
  })
})
