import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkoutCopy } from '../cli/checkout_copy.ts'
import type { Ended } from '../cli/decnet.ts'
import { inCopy } from '../cli/in_copy.ts'

const MADE = [
  ['source', 'sources', 'fresh_lines'],
  ['operator', 'operators', 'switch'],
  ['operator', 'operators', 'one_in_many', '--keyed'],
  ['sink', 'sinks', 'stdin'],
] as const

let copy: string
let decnet: (...args: string[]) => Ended
beforeAll(() => {
  copy = checkoutCopy()
  decnet = inCopy(copy)
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

function tool(path: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(copy, 'node_modules', path), ...args],
    { cwd: copy, encoding: 'utf8' },
  )
  return status === 0 ? '' : stdout + stderr
}

it('what `new` writes passes types, lint, conformance and its own tests as it is', () => {
  for (const [kind, , name, ...options] of MADE) {
    expect(decnet('new', kind, name, ...options)).toMatchObject({ code: 0 })
  }
  const files = MADE.flatMap(([, folder, name]) => [
    `${folder}/${name}.ts`,
    `test/${folder}/${name}.test.ts`,
  ])
  const suites = ['test/conformance.test.ts', 'test/cli/registry.test.ts']
  const lists = ['cli/registry.ts', 'test/conformance.test.ts']
  const tests = files.filter((file) => file.startsWith('test/'))
  expect(tool('@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', ...files, ...lists)).toBe('')
  expect(tool('typescript/bin/tsc', '-p', '.')).toBe('')
  expect(tool('vitest/vitest.mjs', 'run', ...tests, ...suites)).toBe('')
}, 600_000)
