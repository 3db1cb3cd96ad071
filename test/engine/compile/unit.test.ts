import { describe, expect, it } from 'vitest'
import { compileUnit } from '../../../engine/compile.ts'

/** Of nodes nothing is asked here, not even that their type is known. */
const pipeline = (more: string): string => `name: a
description: b
sources:
  s: { type: nothing_known, path: "\${UNSET}", key: "\${secret:api_key}" }
${more}`

const compile = (more: string, env = {}) => compileUnit(pipeline(more), 'a.yaml', env)
const codes = (more: string) =>
  compile(more).problems.map(({ code, message }) => `${code} ${message}`)

describe('what a unit is made of', () => {
  it('can be read where variables and secrets of the nodes are missing', () => {
    const { parts, secrets, problems } = compile(
      'unit: { description: X, watchdog: 10s, memory_max: 64MiB }\nsettings: { shutdown_timeout: 5s }',
    )
    expect(problems).toEqual([])
    expect(secrets).toEqual(['api_key'])
    expect(parts).toMatchObject({
      name: 'a',
      shutdownTimeout: 5000,
      unit: { description: 'X', watchdog: 10_000, memory_max: 64 * 2 ** 20 },
    })
  })

  it('is nothing where the file has no unit', () => {
    expect(compile('').parts).toMatchObject({ unit: undefined, shutdownTimeout: 20_000 })
  })

  it('may hold variables', () => {
    expect(compile('unit: { description: "${D}" }', { D: 'x' }).parts?.unit?.description).toBe('x')
    expect(compile('unit: { description: "${D}" }').parts).toBeUndefined()
  })

  it.each([
    ['unit: { description: X, watchdog: 1s }', /BAD_SETTING "unit.watchdog" must be from 3s/],
    ['unit: { description: X, stop_timeout: 20s }', /BAD_SETTING "unit.stop_timeout" must be more/],
    ['unit: { description: X, capabilites: [] }', /UNKNOWN_KEY/],
    ['unit: { description: X, capabilities: [NET_RAW] }', /capabilities/],
    ['unit: { description: X, writable_paths: ["/a b"] }', /writable_paths/],
    ['unit: { description: X, after: ["a.service b.service"] }', /after/],
    ['unit: { description: "a\\nb" }', /description/],
    ['unit: { description: X, user: root-0 x }', /user/],
  ])('refuses %s', (more, message) => expect(codes(more).join()).toMatch(message))
})
