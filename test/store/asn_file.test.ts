import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../engine/context.ts'
import { asnFile } from '../../store/asn_file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-asn-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const LINE = '85.214.0.0\t85.214.255.255\t6724\tDE\tSTRATO\n'

it('knows no network where there is no file, and those of one that comes, packed or not', async () => {
  const current = asnFile(dir, silentLog)
  expect((await current())('85.214.0.1')).toBeUndefined()
  writeFileSync(join(dir, 'ip2asn-v4.tsv.gz'), gzipSync(LINE))
  expect((await current())('85.214.0.1')).toBe(6724)
  writeFileSync(join(dir, 'ip2asn-v4.tsv'), LINE.replace('6724', '7'))
  expect((await current())('85.214.0.1')).toBe(7)
  rmSync(join(dir, 'ip2asn-v4.tsv'))
  rmSync(join(dir, 'ip2asn-v4.tsv.gz'))
  expect((await current())('85.214.0.1')).toBeUndefined()
})

it('stays with what it knew where the file cannot be read', async () => {
  const current = asnFile(dir, silentLog)
  writeFileSync(join(dir, 'ip2asn-v4.tsv.gz'), gzipSync(LINE))
  expect((await current())('85.214.0.1')).toBe(6724)
  writeFileSync(join(dir, 'ip2asn-v4.tsv.gz'), 'no gzip')
  expect((await current())('85.214.0.1')).toBe(6724)
})
