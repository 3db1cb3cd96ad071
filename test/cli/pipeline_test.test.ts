import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let dir: string
beforeEach(() => {
  dir = scratchFolder()
  mkdirSync(join(dir, 'pipelines'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const pipeline = (name: string, expected: string) => `name: ${name}
description: A pipeline
sources:
  lines: { type: ndjson_file, path: /tmp/none.ndjson }
operators:
  ssh: { type: filter, inputs: [lines], where: data.service == "ssh" }
sinks:
  out: { type: 'null', inputs: [ssh] }
tests:
  - name: an SSH event passes
    send: { lines: [{ data: { service: ssh, n: 1 } }, { data: { service: ftp } }] }
    expect:
      ssh:
        - data: { ${expected} } # what passes
  - name: FTP does not
    send: { lines: [{ data: { service: ftp } }] }
    expect_none: [ssh, out]
`
const write = (name: string, expected = 'n: 1') => {
  const file = join(dir, 'pipelines', `${name}.yaml`)
  writeFileSync(file, pipeline(name, expected))
  return file
}
const run = (...args: string[]) => decnetHere(['pipeline', 'test', ...args], { cwd: dir })

describe('decnet pipeline test', () => {
  it('says in a line that the report cannot be written', async () => {
    write('one')
    const { code, stderr } = await run('one', '--junit', join(dir, 'nowhere/report.xml'))
    expect(code).toBe(1)
    expect(stderr).toBe(`error[ENOENT]: cannot open "${join(dir, 'nowhere/report.xml')}"\n`)
  })

  it('runs the tests of all pipelines here, and counts them', async () => {
    write('one')
    write('two')
    const { code, stdout } = await run()
    expect(stdout).toBe('one: 2 passed\ntwo: 2 passed\n4 passed\n')
    expect(code).toBe(0)
  })

  it('says where a test fails, and what came instead', async () => {
    write('one')
    write('two', 'n: 2, service: ssh')
    const { code, stdout } = await run('two')
    expect(stdout).toBe(
      'pipelines/two.yaml:14: test "an SSH event passes": ssh[0].data.n: expected 2, got 1\n' +
        'two: 1 passed, 1 failed\n',
    )
    expect(code).toBe(1)
  })

  it('runs only the tests with a text in their name', async () => {
    write('one', 'n: 2')
    expect(await run('one', '--filter', 'ftp')).toMatchObject({
      code: 0,
      stdout: 'one: 1 passed\n',
    })
    expect(await run('one', '--filter', 'no such')).toMatchObject({ code: 64, stdout: '' })
  })

  it('exits 78 where a file is wrong, and still runs the others', async () => {
    write('one')
    writeFileSync(join(dir, 'pipelines/bad.yaml'), 'name: bad\n')
    const { code, stdout, stderr } = await run()
    expect(stdout).toBe('one: 2 passed\n')
    expect(stderr).toContain('bad.yaml:1:1: error[NO_SOURCES]')
    expect(code).toBe(78)
  })

  it('puts what came into the file when it is told to, and nothing else', async () => {
    const file = write('one', "n: 2, service: 'ftp', gone: true")
    const { code, stdout } = await run('one', '--update')
    expect(stdout).toBe('pipelines/one.yaml: updated\none: 2 passed\n')
    expect(code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(pipeline('one', "n: 1, service: 'ssh'"))
  })

  it('writes its results for a CI server and for programs', async () => {
    write('one', 'n: 2')
    const { code, stdout } = await run('one', '--junit', 'results.xml', '-o', 'json')
    expect(code).toBe(1)
    const message = 'ssh[0].data.n: expected 2, got 1'
    const place = { pipeline: 'one', file: 'pipelines/one.yaml', took_ms: expect.any(Number) }
    expect(JSON.parse(stdout)).toEqual([
      {
        ...place,
        line: 10,
        name: 'an SSH event passes',
        passed: false,
        differences: [{ line: 14, message }],
      },
      { ...place, line: 15, name: 'FTP does not', passed: true, differences: [] },
    ])
    const xml = readFileSync(join(dir, 'results.xml'), 'utf8')
    expect(xml).toContain('<testsuite name="one" tests="2" failures="1"')
    expect(xml).toContain(`<failure message="${message}">`)
  })
})

describe('decnet pipeline fmt', () => {
  const fmt = (...args: string[]) => decnetHere(['pipeline', 'fmt', ...args], { cwd: dir })

  it('says which files it would change, changes them, and is content then', async () => {
    const file = write('one')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('lines: {', 'lines:    {'))
    expect(await fmt('--check')).toMatchObject({
      code: 1,
      stdout: 'pipelines/one.yaml: would be formatted\n',
    })
    expect(await fmt()).toMatchObject({ code: 0, stdout: 'pipelines/one.yaml: formatted\n' })
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(await fmt('one', '--check')).toMatchObject({ code: 0, stdout: '' })
  })

  it('leaves what is no YAML alone, and says why', async () => {
    const file = join(dir, 'pipelines/bad.yaml')
    writeFileSync(file, 'name: "open\n')
    const { code, stderr } = await fmt(file, join(dir, 'gone.yaml'))
    expect(stderr).toMatch(/bad\.yaml:1:7: error\[YAML_SYNTAX\].*gone\.yaml:1:1: error\[FILE\]/s)
    expect(code).toBe(78)
    expect(readFileSync(file, 'utf8')).toBe('name: "open\n')
  })
})

describe('decnet pipeline lint', () => {
  const lint = (...args: string[]) => decnetHere(['pipeline', 'lint', ...args], { cwd: dir })

  it('exits 1 and shows the place of what it finds', async () => {
    write('one')
    const { code, stdout } = await lint()
    expect(stdout).toMatch(
      /^pipelines\/one\.yaml:1:1: warning\[NO_UNIT\].*\npipelines\/one\.yaml:8:3: warning\[NO_ERROR_NOTE\]/s,
    )
    expect(code).toBe(1)
    expect(
      JSON.parse((await lint('-o', 'json')).stdout).map(({ code }: { code: string }) => code),
    ).toEqual(['NO_UNIT', 'NO_ERROR_NOTE'])
  })

  it('lists what it looks for', async () => {
    const { code, stdout } = await lint('--codes')
    expect(stdout).toMatch(/^CODE +MEANING\nCONSTANT_CONDITION +/)
    expect(code).toBe(0)
  })
})
