import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { decnet, root, scratchFolder } from './decnet.ts'

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

const here = (...args: string[]) => decnet(args, { cwd: folder })

describe('pipeline validate', () => {
  it('accepts every shipped pipeline', () => {
    const files = readdirSync(join(root, 'pipelines')).filter((file) => file.endsWith('.yaml'))
    expect(files).not.toEqual([])
    const paths = files.map((file) => `pipelines/${file}`)
    const { code, stdout } = decnet(['pipeline', 'validate', ...paths])
    for (const path of paths) expect(stdout).toContain(`${path}: ok\n`)
    expect(code).toBe(0)
  })

  it('says what each way through a good file guarantees', () => {
    const { code, stdout } = here('pipeline', 'validate', 'mine')
    expect(code).toBe(0)
    expect(stdout).toContain('pipelines/mine.yaml: ok\n')
    expect(stdout).toContain('  lines -> file: exactly once')
  })

  it('points at what is wrong and exits 78, though another file is right', () => {
    const { code, stdout } = here('pipeline', 'validate', 'broken.yaml', 'pipelines/mine.yaml')
    expect(code).toBe(78)
    expect(stdout).toContain('broken.yaml:6:43: error[UNKNOWN_KEY]: ')
    expect(stdout).toContain('  6 |   some:  { type: filter, inputs: [lines], were: ')
    expect(stdout).toMatch(/help: did you mean "where"\?/)
    expect(stdout).toContain('pipelines/mine.yaml: ok\n')
  })

  it('says the same as JSON', () => {
    const { code, stdout } = here('pipeline', 'validate', '-o', 'json', 'broken.yaml')
    expect(code).toBe(78)
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ file: 'broken.yaml', line: 6, column: 43, code: 'UNKNOWN_KEY' }),
    )
  })

  it('prints an empty array for a good file', () =>
    expect(here('pipeline', 'validate', '-o', 'json', 'mine')).toMatchObject({
      code: 0,
      stdout: '[]\n',
    }))

  it.each([
    ['is not there', 'absent.yaml', 'absent.yaml:1:1: error[FILE]: '],
    ['is a directory', './pipelines', './pipelines:1:1: error[FILE]: '],
  ])('takes a file that %s for a problem of its own', (_what, file, message) => {
    const { code, stdout } = here('pipeline', 'validate', file)
    expect(code).toBe(78)
    expect(stdout).toContain(message)
  })
})

describe('pipeline show', () => {
  it('prints the file as it is', () =>
    expect(here('pipeline', 'show', 'mine').stdout).toBe(PIPELINE))

  it('fills in defaults and variables, and keeps secrets out', () => {
    const secret = PIPELINE.replace('out.ndjson', '"${secret:place}"')
    writeFileSync(join(folder, 'secret.yaml'), secret.replace('name: mine', 'name: secret'))
    const { code, stdout } = decnet(['pipeline', 'show', 'secret.yaml', '--resolved'], {
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

  it('says what is wrong with a file it cannot resolve', () => {
    const { code, stdout, stderr } = here('pipeline', 'show', 'broken.yaml', '--resolved')
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toContain('error[UNKNOWN_KEY]')
  })
})

describe('pipeline graph', () => {
  it('draws in ASCII', () =>
    expect(here('pipeline', 'graph', 'mine').stdout).toBe(`mine
lines         ndjson_file source
|-- some      filter operator
|   \`-- file  ndjson_file sink
\`-- bad       null sink           (via errors)
`))

  it('draws for mermaid and Graphviz', () => {
    expect(here('pipeline', 'graph', 'mine', '--format', 'mermaid').stdout).toMatch(/^flowchart LR/)
    expect(here('pipeline', 'graph', 'mine', '--format', 'dot').stdout).toMatch(/^digraph "mine"/)
  })

  it('refuses a broken file', () => {
    const { code, stdout, stderr } = here('pipeline', 'graph', 'broken.yaml')
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toContain('error[UNKNOWN_KEY]')
  })
})

describe('pipeline list', () => {
  it('has the pipelines of the folder and those installed', () => {
    const { stdout } = here('pipeline', 'list')
    expect(stdout).toMatch(/^mine +pipelines\/mine\.yaml +Lines that matter$/m)
    expect(stdout).toMatch(/^ingest +\/.*ingest\.yaml +\S/m)
  })

  it('marks one that is broken', () => {
    const other = scratchFolder()
    mkdirSync(join(other, 'pipelines'))
    writeFileSync(join(other, 'pipelines/torn.yaml'), 'name: [')
    expect(decnet(['pipeline', 'list'], { cwd: other }).stdout).toMatch(/^torn .*\d+ errors?: /m)
  })

  it('has every type, with the two that share a name', () => {
    const { stdout } = here('pipeline', 'list', '--types')
    expect(stdout).toMatch(/^ndjson_file +source +\S/m)
    expect(stdout).toMatch(/^ndjson_file +sink +\S/m)
  })
})

describe('pipeline explain-type', () => {
  it('explains both of two that share a name, or the one that is meant', () => {
    const both = here('pipeline', 'explain-type', 'ndjson_file').stdout
    expect(both).toContain('ndjson_file (source)')
    expect(both).toContain('ndjson_file (sink)')
    const one = here('pipeline', 'explain-type', 'sinks.ndjson_file').stdout
    expect(one).not.toContain('ndjson_file (source)')
  })

  it('guesses what was meant', () =>
    expect(here('pipeline', 'explain-type', 'dedpu').stderr).toContain('did you mean dedup?'))
})

describe('what is generated', () => {
  it('is checked in as it would be generated now', () =>
    expect(decnet(['docs', 'generate', '--check'])).toEqual({ code: 0, stdout: '', stderr: '' }))

  it('has one schema, whichever command prints it', () => {
    const file = join(root, 'pipelines/pipeline.schema.json')
    expect(existsSync(file)).toBe(true)
    expect(decnet(['pipeline', 'schema']).stdout).toBe(readFileSync(file, 'utf8'))
  })
})
