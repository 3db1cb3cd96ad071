import { describe, expect, it } from 'vitest'
import { asnRanges } from '../../protocols/asn_ranges.ts'
import { valueAt } from '../../protocols/ipv4_ranges.ts'

const ranges = asnRanges(
  [
    '1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET',
    '1.0.1.0\t1.0.3.255\t0\tNone\tNot routed',
    '1.0.4.0\t1.0.5.255\t4294967295',
    '10.0.0.0\t10.255.255.255\t7\tXX\tprivate',
    '2.0.0.9\t2.0.0.0\t8\tXX\tends before it starts',
    '3.0.0.0\t3.0.0.9\tAS9\tXX\tno number',
    '4.0.0\t4.0.0.9\t9\tXX\tno address',
    '5.0.0.0\t5.0.0.9\t4294967296\tXX\ttoo large',
    'oops',
    '6.0.0.0\t6.0.0.9\t1\tXX\tfirst',
    '6.0.0.0\t6.0.0.9\t2\tXX\tlater\r',
  ].join('\n'),
)

describe('the network of an address', () => {
  it.each([
    ['1.0.0.0', 13335],
    ['1.0.0.255', 13335],
    ['1.0.1.0', undefined],
    ['1.0.5.255', 4294967295],
    ['1.0.6.0', undefined],
    ['10.1.2.3', undefined],
    ['2.0.0.5', undefined],
    ['3.0.0.1', undefined],
    ['4.0.0.1', undefined],
    ['5.0.0.1', undefined],
    ['6.0.0.1', 2],
    ['0.0.0.0', undefined],
    ['2001:db8::7', undefined],
    ['x', undefined],
  ])('of %s is %s', (ip, asn) => expect(valueAt(ranges, ip)).toBe(asn))
})
