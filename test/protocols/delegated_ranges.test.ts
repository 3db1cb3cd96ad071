import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { delegatedRanges } from '../../protocols/delegated_ranges.ts'
import { valueAt } from '../../protocols/ipv4_ranges.ts'

const corpus = join(import.meta.dirname, '../../../shared/corpus/geoip-rir')

// spec/ingest-and-profile.md section 4, check 19
it('knows a range from its first to its last address', () => {
  const ranges = delegatedRanges(['ripencc|DE|ipv4|85.214.0.0|65536|20060814|allocated|x\n'])
  expect(valueAt(ranges, '85.214.0.0')).toBe('DE')
  expect(valueAt(ranges, '85.214.255.255')).toBe('DE')
  for (const ip of ['85.215.0.0', '85.213.255.255', '10.0.0.1', '2001:db8::1', 'x', '']) {
    expect(valueAt(ranges, ip)).toBeUndefined()
  }
})

it('takes only what was given to a country, and of equal starts the later', () => {
  const lines = [
    'r|ZZ|ipv4|1.0.0.0|256|20060814|reserved',
    'r|FR|ipv4|2.0.0.0|256|20060814|available',
    'r||ipv4|3.0.0.0|256|20060814|allocated',
    'r|FR|ipv6|2001:200::|35|19990813|allocated',
    'r|FR|ipv4|4.0.0.0|256|20060814|assigned',
    'r|DE|ipv4|4.0.0.0|128|20060814|allocated|a|b|c',
    'r|DE|ipv4|255.255.255.0|1000|20060814|allocated',
    'r|DE|ipv4|10.0.0.0|256|20060814|allocated',
  ]
  const ranges = delegatedRanges([lines.join('\r\n')])
  const at = (ip: string) => valueAt(ranges, ip)
  expect(['1.0.0.1', '2.0.0.1', '3.0.0.1', '10.0.0.1'].map(at)).toEqual(Array(4).fill(undefined))
  expect([at('4.0.0.1'), at('4.0.0.128'), at('255.255.255.1')]).toEqual([
    'DE',
    undefined,
    undefined,
  ])
})

it('reads anything', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('|', '1', '.', 'A', '\n', 'ipv4') })),
      (files) => {
        expect(valueAt(delegatedRanges(files), '1.1.1.1')).toBeUndefined()
      },
    ),
  )
})

it.skipIf(!existsSync(corpus))('answers for a real file as its own vectors say', () => {
  const vectors = readFileSync(join(corpus, 'lookups.jsonl'), 'utf8').trim().split('\n')
  for (const { file, address, expect: wanted } of vectors.map((line) => JSON.parse(line))) {
    const ranges = delegatedRanges([readFileSync(join(corpus, file), 'latin1')])
    if (!address.includes(':')) expect(valueAt(ranges, address) ?? null).toBe(wanted)
  }
})
