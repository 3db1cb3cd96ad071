import { describe, expect, it } from 'vitest'
import { derChildren, derOid, readDer } from '../../../protocols/asn1/der.ts'

const bytesOf = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const read = (text: string) => {
  const bytes = bytesOf(text)
  return readDer(bytes, 0, bytes.length)
}

describe('DER', () => {
  it.each([
    ['0500', { tag: 5, at: 0, start: 2, end: 2 }],
    ['0402aabb', { tag: 4, at: 0, start: 2, end: 4 }],
    ['0402aabbcc', { tag: 4, at: 0, start: 2, end: 4 }],
    ['048102aabb', { tag: 4, at: 0, start: 3, end: 5 }],
    ['0484000000 02aabb', { tag: 4, at: 0, start: 6, end: 8 }],
  ])('%s is one value', (text, node) => expect(read(text)).toEqual(node))

  it.each([
    ['nothing', ''],
    ['no length', '04'],
    ['a content that is cut', '0403aabb'],
    ['a length that is cut', '048201'],
    ['a length of five bytes', '04850000000001aa'],
    ['the largest length', '0484ffffffff'],
    ['a length to be found at the end', '3080 0500 0000'],
    ['a tag of two bytes', '1f8101 00'],
  ])('%s is none', (_, text) => expect(read(text)).toBe(undefined))

  it('has values in values only if they fill them', () => {
    const children = (text: string) => {
      const node = read(text)
      return node && derChildren(bytesOf(text), node)?.map(({ tag }) => tag)
    }
    expect(children('3004 0500 0400')).toEqual([5, 4])
    expect(children('3000')).toEqual([])
    expect(children('3003 0500 04')).toBe(undefined)
    expect(children('3004 0500 0401')).toBe(undefined)
  })

  it.each([
    ['550403', '2.5.4.3'],
    ['2a864886f70d010901', '1.2.840.113549.1.9.1'],
    ['00', '0.0'],
    ['4f', '1.39'],
    ['883703', '2.999.3'], // X.690 section 8.19.5
    ['', undefined],
    ['5504 83', undefined],
    ['2affffffffffffffffff7f', undefined],
  ])('the object identifier %s is %s', (text, oid) => {
    const bytes = bytesOf(text)
    expect(derOid(bytes, { tag: 6, at: 0, start: 0, end: bytes.length })).toBe(oid)
  })
})
