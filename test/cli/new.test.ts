import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { constantOf, withConformance, withRegistration } from '../../cli/scaffold/registration.ts'
import { checkoutCopy } from './checkout_copy.ts'
import { type Ended, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'
import { inCopy } from './in_copy.ts'

describe('decnet new', () => {
  let copy: string
  let decnet: (...args: string[]) => Ended
  beforeAll(() => {
    copy = checkoutCopy()
    decnet = inCopy(copy)
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  it('writes a component that the program knows at once, and no second one over it', () => {
    const made = decnet('new', 'operator', 'stdin', '--keyed')
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toBe(
      'operators/stdin.ts\ntest/operators/stdin.test.ts\ncli/registry.ts\n' +
        'Next: npx vitest test/operators/stdin.test.ts\n',
    )
    expect(decnet('pipeline', 'explain-type', 'stdin').stdout).toContain('every so many')
    const written = readFileSync(join(copy, 'operators/stdin.ts'), 'utf8')
    writeFileSync(join(copy, 'operators/stdin.ts'), `${written}// mine\n`)
    expect(decnet('new', 'operator', 'stdin')).toMatchObject({ code: 64 })
    expect(readFileSync(join(copy, 'operators/stdin.ts'), 'utf8')).toBe(`${written}// mine\n`)
  })

  it('writes nothing at all where a file is in the way', () => {
    writeFileSync(join(copy, 'test/sinks/late.test.ts'), '')
    const registry = readFileSync(join(copy, 'cli/registry.ts'), 'utf8')
    const { code, stderr } = decnet('new', 'sink', 'late')
    expect(stderr).toContain('test/sinks/late.test.ts is there already')
    expect(code).toBe(64)
    expect(readFileSync(join(copy, 'cli/registry.ts'), 'utf8')).toBe(registry)
    expect(() => readFileSync(join(copy, 'sinks/late.ts'))).toThrow('ENOENT')
  })

  it.each([
    ['a strange kind', ['thing', 'x']],
    ['a strange name', ['sink', '../x']],
    ['memory for a sink', ['sink', 'x', '--keyed']],
    ['a strange pipeline', ['pipeline', 'A/b']],
  ])('refuses %s', (_what, args) => expect(decnet('new', ...args).code).toBe(64))

  it('writes a pipeline that is valid, tested, formatted and has nothing for lint', async () => {
    const folder = scratchFolder()
    const there = (...args: string[]) => decnetHere(args, { cwd: folder })
    expect(await there('new', 'pipeline', 'night-run')).toMatchObject({
      code: 0,
      stdout: 'pipelines/night-run.yaml\nNext: decnet pipeline test night-run\n',
    })
    expect((await there('pipeline', 'validate', 'night-run')).stdout).toContain('exactly once')
    expect((await there('pipeline', 'test')).stdout).toBe('night-run: 1 passed\n')
    expect(await there('pipeline', 'lint')).toMatchObject({ code: 0 })
    expect(await there('pipeline', 'fmt', '--check')).toMatchObject({ code: 0 })
    expect(await there('new', 'pipeline', 'night-run')).toMatchObject({ code: 64 })
    rmSync(folder, { recursive: true })
  })
})

describe('the lists of components', () => {
  it('have a constant for every type, whatever JavaScript keeps for itself', () => {
    const named = ['login_burst', 'null', 'switch', 'a__b_', 'ja4'].map((type) =>
      constantOf(type, 'operators'),
    )
    expect(named).toEqual(['loginBurst', 'nullOperator', 'switchOperator', 'aB', 'ja4'])
  })

  it('are not touched where they are not what they were', () => {
    const name = { type: 'x', constant: 'x' }
    expect(() => withRegistration('export const registry = 1\n', 'sinks', name)).toThrow('by hand')
    expect(() => withConformance('', 'sinks', 'x', '({})')).toThrow('by hand')
  })
})
