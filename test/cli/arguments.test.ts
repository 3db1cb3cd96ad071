import { describe, expect, it } from 'vitest'
import { busResource } from '../../bus/bus.ts'
import { exitCodeFor } from '../../cli/exit_code.ts'
import { makeResources } from '../../cli/resources.ts'
import { parseSinks } from '../../cli/sink_target.ts'
import { stateDir } from '../../cli/state_dir.ts'
import { textTable } from '../../cli/text_table.ts'
import { EngineError, UnavailableError } from '../../engine/errors.ts'

describe('--sink', () => {
  it('takes a directory and a database', () =>
    expect(parseSinks(['db=sqlite:a=b.db', 'out'])).toEqual({
      directory: 'out',
      database: 'sqlite:a=b.db',
    }))

  it('takes none at all', () =>
    expect(parseSinks([])).toEqual({ directory: undefined, database: undefined }))

  it('takes no second one', () => {
    expect(() => parseSinks(['a', 'b'])).toThrow('one directory')
    expect(() => parseSinks(['db=a', 'db=b'])).toThrow('one database')
  })
})

describe('the state directory', () => {
  it('is what was asked for', () =>
    expect(stateDir('here', { DECNET_STATE_DIR: 'there' })).toBe('here'))
  it('else what the environment says', () =>
    expect(stateDir(undefined, { DECNET_STATE_DIR: 'a', STATE_DIRECTORY: 'b' })).toBe('a'))
  it('else what systemd says, the first of several', () =>
    expect(stateDir(undefined, { STATE_DIRECTORY: '/var/lib/x:/var/lib/y' })).toBe('/var/lib/x'))
  it('else a folder that can be written', () =>
    expect(stateDir(undefined, {})).toMatch(/^(\/var\/lib\/decnet|\.decnet)\/state$/))
})

it.each([
  ['a database that is down', new UnavailableError('DATABASE', 'down'), 69],
  ['a wrong config', new EngineError('CONFIG', 'wrong'), 78],
  ['a bug', new TypeError('x is undefined'), 1],
])('%s has its exit code', (_what, error, code) => expect(exitCodeFor(error)).toBe(code))

it('a table has its columns under each other and no blanks at the end of a line', () => {
  const rows = [
    ['NAME', 'N', ''],
    ['a', '10', ''],
  ]
  expect(textTable(rows, { align: ['left', 'right'] })).toBe('NAME   N\na     10\n')
})

describe('resources', () => {
  const noDatabase = () => {
    throw new Error('asked for a database')
  }

  it('opens one bus for everybody, and no database for nobody', async () => {
    const resources = makeResources({ databaseUrl: noDatabase })
    expect(await resources.use(busResource)).toBe(await resources.use(busResource))
    await resources.close()
  })

  it('refuses what nobody provides', () =>
    expect(() => makeResources({ databaseUrl: noDatabase }).use({ name: 'oracle' })).toThrow(
      'oracle',
    ))
})
