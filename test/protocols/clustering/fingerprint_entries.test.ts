import { describe, expect, it } from 'vitest'
import { readFingerprints } from '../../../protocols/clustering/fingerprint_entries.ts'

describe('the fingerprints of an attacker', () => {
  it('are read from flat entries, the last one last', () => {
    const stored =
      '[{"kind":"ja3","hash":"aa"},{"kind":"jarm","hash":"j"},{"kind":"ja3","value":"bb"},{"kind":"ja3","hash":"aa"},{"kind":"ja3","hash":"cc"}]'
    expect(readFingerprints(stored)).toEqual({ ja3: ['bb', 'aa', 'cc'], hassh: [] })
  })

  it('are read from bounty rows, whose payload may be text', () => {
    const payload = { fingerprint_type: 'hassh_server', hash: 'hh' }
    const other = { fingerprint_type: 'ja3', ja3: 'jj' }
    const rows = [{ bounty_type: 'fingerprint', payload }, { payload: JSON.stringify(other) }]
    const expected = { ja3: ['jj'], hassh: ['hh'] }
    expect(readFingerprints(rows)).toEqual(expected)
    expect(readFingerprints(JSON.stringify(rows))).toEqual(expected)
  })

  it('are those of SSH clients, as of servers', () => {
    const client = { payload: { fingerprint_type: 'hassh', hash: 'cc' } }
    const server = { payload: { fingerprint_type: 'hassh_server', hash: 'ss' } }
    expect(readFingerprints([client, server])).toEqual({ ja3: [], hassh: ['cc', 'ss'] })
  })

  it.each([
    ['not json'],
    ['null'],
    ['5'],
    ['{}'],
    ['[1]'],
    [null],
    [undefined],
    ['[{"kind":"ja3","hash":""},{"kind":"hassh","hash":7},{"payload":"{"},{"payload":null},[]]'],
    [`[{"kind":"ja3","hash":"${'a'.repeat(1000)}"}]`],
  ])('are none in %j', (stored) => {
    expect(readFingerprints(stored)).toEqual({ ja3: [], hassh: [] })
  })
})
