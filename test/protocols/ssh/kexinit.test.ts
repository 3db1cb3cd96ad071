import { describe, expect, it } from 'vitest'
import { readSshBanner } from '../../../protocols/ssh/banner.ts'
import { readKexInit } from '../../../protocols/ssh/kexinit.ts'
import { kexInit, packet, TEN_LISTS } from './kexinit_bytes.ts'

const read = (...parts: Uint8Array[]) => {
  const bytes = Buffer.concat(parts)
  return readKexInit(bytes, 0, bytes.length)
}
const FOUND = {
  state: 'found',
  kex: {
    kex: 'kex,k2',
    hostKey: 'key',
    encryptionC2s: 'ec',
    encryptionS2c: 'es',
    macC2s: 'mc',
    macS2c: 'ms',
    compressionC2s: 'cc',
    compressionS2c: 'cs',
  },
}
const PACKET = packet(kexInit(TEN_LISTS))

describe('the algorithms of SSH', () => {
  it.each(['\r\n', '\n', '\r'])('are read after a banner that ends in %j', (lineEnd) => {
    const stream = Buffer.concat([Buffer.from(`SSH-2.0-a${lineEnd}`), PACKET])
    const banner = readSshBanner(stream, 0, stream.length)
    if (banner.state !== 'found') throw new Error('no banner')
    expect(readKexInit(stream, banner.next, stream.length)).toEqual(FOUND)
    // The banner was told before its LF had come.
    const early = readSshBanner(stream, 0, 10)
    expect(early.state === 'found' && readKexInit(stream, early.next, stream.length)).toEqual(FOUND)
  })

  it('may come in pieces', () => {
    for (let end = 0; end < PACKET.length; end++) {
      expect(readKexInit(PACKET, 0, end), `cut at ${end}`).toEqual({ state: 'more' })
    }
    expect(read(PACKET, Buffer.alloc(20))).toEqual(FOUND)
  })

  it('may come after packets that say nothing', () => {
    const ignore = packet(Buffer.from([2, 0, 0, 0, 0]))
    expect(read(ignore, packet(Buffer.from([4, 0])), PACKET)).toEqual(FOUND)
    expect(read(...new Array<Buffer>(8).fill(ignore), PACKET)).toEqual(FOUND)
    expect(read(...new Array<Buffer>(9).fill(ignore), PACKET)).toEqual({ state: 'none' })
  })

  it('keep every byte of a name', () => {
    const lists = ['\0"\n\xff', ...TEN_LISTS.slice(1)]
    expect(read(packet(kexInit(lists)))).toMatchObject({ kex: { kex: '\0"\n\xff' } })
  })

  it.each([
    ['another packet first', packet(Buffer.from([30, 1, 2]))],
    ['nine lists', packet(kexInit(TEN_LISTS.slice(0, 9)).subarray(0, -5))],
    ['a list longer than the packet', packet(kexInit(TEN_LISTS).fill(0xff, 17, 21))],
    ['lists that run into the padding', packet(kexInit(TEN_LISTS).subarray(0, -9), 9)],
    ['a packet shorter than its padding', Buffer.from([0, 0, 0, 6, 6, 20, 0, 0, 0, 0])],
    ['a packet of one byte', Buffer.from([0, 0, 0, 1, 0, 20])],
    ['a packet of 35001 bytes', Buffer.from([0, 0, 0x88, 0xb9, 4, 20])],
    ['another line of text', Buffer.from('Protocol mismatch.\n')],
  ])('are none with %s', (_, bytes) => expect(read(bytes)).toEqual({ state: 'none' }))

  it('are waited for in a packet of 35000 bytes', () => {
    expect(read(Buffer.from([0, 0, 0x88, 0xb8, 4, 20]))).toEqual({ state: 'more' })
  })
})
