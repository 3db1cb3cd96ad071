import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import { countryFiles } from '../../store/country_files.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-geoip-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('knows no country where there are no files, and those of files that come', async () => {
  const current = countryFiles(dir, silentLog)
  expect((await current())('85.214.0.1')).toBeUndefined()
  const line = 'ripencc|DE|ipv4|85.214.0.0|65536|20060814|allocated|x\n'
  writeFileSync(join(dir, 'ripe.txt'), line)
  expect((await current())('85.214.0.1')).toBe('DE')
  writeFileSync(join(dir, 'arin.txt'), 'arin|US|ipv4|3.0.0.0|256|20060814|assigned|x\n')
  const lookUp = await current()
  expect([lookUp('85.214.0.1'), lookUp('3.0.0.1')]).toEqual(['DE', 'US'])
  rmSync(join(dir, 'ripe.txt'))
  expect((await current())('85.214.0.1')).toBeUndefined()
})

it('knows no country in a folder that is not there', async () => {
  expect((await countryFiles(join(dir, 'none'), silentLog)())('85.214.0.1')).toBeUndefined()
})
