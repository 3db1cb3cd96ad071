import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Context } from '../../engine/index.ts'
import { fileDeckies } from '../../store/decky_file.ts'

let dir: string
let path: string
let warned: object[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-state-'))
  path = join(dir, 'decnet-state.json')
  warned = []
})
afterEach(() => rmSync(dir, { recursive: true }))

const log = { warn: (fields: object) => warned.push(fields) } as unknown as Context['log']
const state = (...deckies: object[]) => JSON.stringify({ config: { interface: 'eth0', deckies } })
const A = { name: 'decky-a', ip: '192.0.2.10' }
const B = { name: 'decky-b', ip: '2001:DB8:0:0::B' }

/** Writes the file with a time of its own: two writes may fall into one tick of the disk's clock. */
let ticks = 0
function write(text: string): void {
  writeFileSync(path, text)
  ticks += 1
  utimesSync(path, 1_700_000_000 + ticks, 1_700_000_000 + ticks)
}

describe('the deckies of a state file', () => {
  it('are names by address, spelled in one way', async () => {
    write(state(A, B, { name: 'mapped', ip: '::ffff:192.0.2.12' }))
    expect({ ...(await fileDeckies(path, log)()) }).toEqual({
      '192.0.2.10': 'decky-a',
      '2001:db8::b': 'decky-b',
      '192.0.2.12': 'mapped',
    })
  })

  it('are the same object until the file changes', async () => {
    write(state(A))
    const look = fileDeckies(path, log)
    const first = await look()
    expect(await look()).toBe(first)
    write(state(A, B))
    expect(Object.keys(await look())).toEqual(['192.0.2.10', '2001:db8::b'])
  })

  it('are looked at again where another file takes the place, of the same size and time', async () => {
    write(state(A))
    const look = fileDeckies(path, log)
    await look()
    const other = join(dir, 'other')
    writeFileSync(other, state({ name: 'decky-z', ip: '192.0.2.10' }))
    utimesSync(other, 1_700_000_000 + ticks, 1_700_000_000 + ticks)
    renameSync(other, path)
    expect(await look()).toEqual({ '192.0.2.10': 'decky-z' })
  })

  it('are none where nothing is deployed, and where the file or its list is not there', async () => {
    expect(await fileDeckies(undefined, log)()).toEqual({})
    expect(await fileDeckies('', log)()).toEqual({})
    const look = fileDeckies(path, log)
    expect(await look()).toEqual({})
    write(state(A))
    expect(Object.values(await look())).toEqual(['decky-a'])
    write(state())
    expect(await look()).toEqual({})
    write('{}')
    expect(await look()).toEqual({})
    write(state(A))
    await look()
    rmSync(path)
    expect(await look()).toEqual({})
    expect(warned).toEqual([])
  })

  it('stay as they were while the file cannot be read, which is said once', async () => {
    write(state(A))
    const look = fileDeckies(path, log)
    await look()
    write('{"config": {"deckies": [')
    for (let n = 0; n < 3; n++) expect(await look()).toEqual({ '192.0.2.10': 'decky-a' })
    expect(warned).toMatchObject([{ path }])
    write(state(B))
    expect(Object.values(await look())).toEqual(['decky-b'])
  })

  it('leave out what has no name or no address, and let the last of two with one address count', async () => {
    write(
      state(
        A,
        { name: '', ip: '192.0.2.1' },
        { name: 'x', ip: 'nowhere' },
        { ip: '192.0.2.2' },
        { name: 7, ip: '192.0.2.3' },
        { name: 'later', ip: '192.0.2.10' },
      ).replace('"later"', '"later"'),
    )
    expect(await fileDeckies(path, log)()).toEqual({ '192.0.2.10': 'later' })
  })

  it('are not told from members that every object has', async () => {
    write('{"config": {"deckies": {"length": 1, "0": {"name": "x", "ip": "192.0.2.1"}}}}')
    expect(await fileDeckies(path, log)()).toEqual({})
    write('{"__proto__": {"config": {"deckies": [{"name": "x", "ip": "192.0.2.1"}]}}}')
    expect(await fileDeckies(path, log)()).toEqual({})
    expect(warned).toEqual([])
  })
})
