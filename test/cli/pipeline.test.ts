import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let folder = ''

const PIPELINE = `name: mine
description: Lines that matter
sources:
  lines: { type: ndjson_file, path: "\${MINE_LOG:-mine.log}" }
operators:
  some:  { type: filter, inputs: [lines], where: 'data.n > 1' }
sinks:
  file:  { type: ndjson_file, inputs: [some], path: out.ndjson }
  bad:   { type: 'null', inputs: [lines.errors] }
`

beforeAll(() => {
  folder = scratchFolder()
  mkdirSync(join(folder, 'pipelines'))
  writeFileSync(join(folder, 'pipelines/mine.yaml'), PIPELINE)
  writeFileSync(join(folder, 'broken.yaml'), PIPELINE.replace('where:', 'were:'))
})

const here = (...args: string[]) => decnetHere(args, { cwd: folder })

describe('pipeline validate', () => {
  it('accepts every shipped pipeline', async () => {
    const files = readdirSync(join(root, 'pipelines')).filter((file) => file.endsWith('.yaml'))
    expect(files).not.toEqual([])
    const paths = files.map((file) => `pipelines/${file}`)
    const { code, stdout } = await decnetHere(['pipeline', 'validate', ...paths])
    for (const path of paths) expect(stdout).toContain(`${path}: ok\n`)
    expect(code).toBe(0)
  })

  it('says what each way through a good file guarantees', async () => {
    const { code, stdout } = await here('pipeline', 'validate', 'mine')
    expect(code).toBe(0)
    expect(stdout).toContain('pipelines/mine.yaml: ok\n')
    expect(stdout).toContain('  lines -> file: exactly once')
  })

  it('points at what is wrong and exits 78, though another file is right', async () => {
    const { code, stdout } = await here(
      'pipeline',
      'validate',
      'broken.yaml',
      'pipelines/mine.yaml',
    )
    expect(code).toBe(78)
    expect(stdout).toContain('broken.yaml:6:43: error[UNKNOWN_KEY]: ')
    expect(stdout).toContain('  6 |   some:  { type: filter, inputs: [lines], were: ')
    expect(stdout).toMatch(/help: did you mean "where"\?/)
    expect(stdout).toContain('pipelines/mine.yaml: ok\n')
  })

  it('says the same as JSON', async () => {
    const { code, stdout } = await here('pipeline', 'validate', '-o', 'json', 'broken.yaml')
    expect(code).toBe(78)
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ file: 'broken.yaml', line: 6, column: 43, code: 'UNKNOWN_KEY' }),
    )
  })

  it('prints an empty array for a good file', async () =>
    expect(await here('pipeline', 'validate', '-o', 'json', 'mine')).toMatchObject({
      code: 0,
      stdout: '[]\n',
    }))

  it.each([
    ['is not there', 'absent.yaml', 'absent.yaml:1:1: error[FILE]: '],
    ['is a directory', './pipelines', './pipelines:1:1: error[FILE]: '],
  ])('takes a file that %s for a problem of its own', async (_what, file, message) => {
    const { code, stdout } = await here('pipeline', 'validate', file)
    expect(code).toBe(78)
    expect(stdout).toContain(message)
  })
})

describe('pipeline show', () => {
  it('prints the file as it is', async () =>
    expect((await here('pipeline', 'show', 'mine')).stdout).toBe(PIPELINE))

  it('fills in defaults and variables, and keeps secrets out', async () => {
    const secret = PIPELINE.replace('out.ndjson', '"${secret:place}"')
    writeFileSync(join(folder, 'secret.yaml'), secret.replace('name: mine', 'name: secret'))
    const { code, stdout } = await decnetHere(['pipeline', 'show', 'secret.yaml', '--resolved'], {
      cwd: folder,
      env: { MINE_LOG: 'theirs.log', DECNET_SECRET_PLACE: 'hidden-place' },
    })
    expect(code).toBe(0)
    const shown = parse(stdout)
    expect(shown.sources.lines.path).toBe('theirs.log')
    expect(shown.sinks.file).toMatchObject({ path: '${secret:place}', inputs: ['some'] })
    expect(shown.settings).toMatchObject({ batch_size: 512 })
    expect(stdout).not.toContain('hidden-place')
  })

  it('says what is wrong with a file it cannot resolve', async () => {
    const { code, stdout, stderr } = await here('pipeline', 'show', 'broken.yaml', '--resolved')
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toContain('error[UNKNOWN_KEY]')
  })
})

describe('pipeline graph', () => {
  it('draws in ASCII', async () =>
    expect((await here('pipeline', 'graph', 'mine')).stdout).toBe(`mine
lines         ndjson_file source
|-- some      filter operator
|   \`-- file  ndjson_file sink
\`-- bad       null sink           (via errors)
`))

  it('draws for mermaid and Graphviz', async () => {
    expect((await here('pipeline', 'graph', 'mine', '--format', 'mermaid')).stdout).toMatch(
      /^flowchart LR/,
    )
    expect((await here('pipeline', 'graph', 'mine', '--format', 'dot')).stdout).toMatch(
      /^digraph "mine"/,
    )
  })

  it('refuses a broken file', async () => {
    const { code, stdout, stderr } = await here('pipeline', 'graph', 'broken.yaml')
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toContain('error[UNKNOWN_KEY]')
  })
})

describe('pipeline list', () => {
  it('has the pipelines of the folder and those installed', async () => {
    const { stdout } = await here('pipeline', 'list')
    expect(stdout).toMatch(/^mine +pipelines\/mine\.yaml +Lines that matter$/m)
    expect(stdout).toMatch(/^ingest +\/.*ingest\.yaml +\S/m)
  })

  it('marks one that is broken', async () => {
    const other = scratchFolder()
    mkdirSync(join(other, 'pipelines'))
    writeFileSync(join(other, 'pipelines/torn.yaml'), 'name: [')
    expect((await decnetHere(['pipeline', 'list'], { cwd: other })).stdout).toMatch(
      /^torn .*\d+ errors?: /m,
    )
  })

  it('has every type, with the two that share a name', async () => {
    const { stdout } = await here('pipeline', 'list', '--types')
    expect(stdout).toMatch(/^ndjson_file +source +\S/m)
    expect(stdout).toMatch(/^ndjson_file +sink +\S/m)
  })
})

describe('pipeline explain-type', () => {
  it('explains both of two that share a name, or the one that is meant', async () => {
    const both = (await here('pipeline', 'explain-type', 'ndjson_file')).stdout
    expect(both).toContain('ndjson_file (source)')
    expect(both).toContain('ndjson_file (sink)')
    const one = (await here('pipeline', 'explain-type', 'sinks.ndjson_file')).stdout
    expect(one).not.toContain('ndjson_file (source)')
  })

  it('guesses what was meant', async () =>
    expect((await here('pipeline', 'explain-type', 'dedpu')).stderr).toContain(
      'did you mean dedup?',
    ))
})

describe('what is generated', () => {
  it('is checked in as it would be generated now', async () =>
    expect(await decnetHere(['docs', 'generate', '--check'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    }))

  it('has one schema, whichever command prints it', async () => {
    const file = join(root, 'pipelines/pipeline.schema.json')
    expect(existsSync(file)).toBe(true)
    expect((await decnetHere(['pipeline', 'schema'])).stdout).toBe(readFileSync(file, 'utf8'))
  })
})
