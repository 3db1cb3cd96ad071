import { describe, expect, it } from 'vitest'
import { optionsSig } from '../../../protocols/fingerprint/options_sig.ts'
import { readTcpOptions } from '../../../protocols/packet/tcp_options.ts'
import { hex } from './frames.ts'

const read = (text: string) => {
  const bytes = hex(text)
  return readTcpOptions(bytes, 0, bytes.length)
}

describe('TCP options', () => {
  it('are read with their values', () => {
    expect(read('020405b4 0402 080a0000303900000007 01 030307')).toEqual({
      kinds: [2, 4, 8, 1, 3],
      mss: 1460,
      windowScale: 7,
      sackPermitted: true,
      ownTimestamp: 12345,
      peerTimestamp: 7,
      eolPadding: 0,
      nonZeroAfterEol: false,
      bad: false,
    })
  })

  it('may be none at all', () => {
    expect(read('')).toMatchObject({ kinds: [], mss: undefined, sackPermitted: false, bad: false })
  })

  it('end at kind 0, and what follows is padding', () => {
    expect(read('020405b4 00 000000')).toMatchObject({ kinds: [2, 0], eolPadding: 3 })
    expect(read('00 000001')).toMatchObject({ nonZeroAfterEol: true, eolPadding: 3, bad: false })
    expect(read('00')).toMatchObject({ kinds: [0], eolPadding: 0, nonZeroAfterEol: false })
  })

  it.each([
    ['a length of 0 is taken as 2', '0900 01', [9, 1]],
    ['a length of 1 is taken as 2', '0901 01', [9, 1]],
    ['a length past the end is cut', '01 0904', [1, 9]],
    ['a length that is missing', '01 02', [1, 2]],
    ['an MSS of another length', '0203ff 01', [2, 1]],
    ['a window scale of another length', '03040101 01', [3, 1]],
    ['timestamps of another length', '080401ff 01', [8, 1]],
    ['a SACK of half a block', '05060000ffff', [5]],
  ])('are bad with %s', (_, text, kinds) => {
    const options = read(text)
    expect(options).toMatchObject({ kinds, bad: true, mss: undefined })
    expect([options.windowScale, options.ownTimestamp]).toEqual([undefined, undefined])
  })

  it('count the last where one comes twice', () => {
    expect(read('02040100 020405b4').mss).toBe(1460)
  })

  it('are forty bytes at most', () => {
    expect(read('01'.repeat(60)).kinds).toHaveLength(40)
  })

  it.each([
    [[2, 1, 3, 1, 1, 8, 4, 0], 'M,N,W,N,N,T,S,E'],
    [[], ''],
    [[2, 34], 'M,?'],
    [[5, 14, 15, 28, 255], 'S,A,A,U,?'],
  ])('of kinds %j have the signature %s', (kinds, signature) => {
    expect(optionsSig(kinds)).toBe(signature)
  })

  it('list kind 0 once', () => {
    expect(optionsSig(read('020405b4 01 030306 0101 080a0000000100000000 0402 0000').kinds)).toBe(
      'M,N,W,N,N,T,S,E',
    )
  })
})
