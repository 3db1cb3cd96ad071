import { describe, expect, it } from 'vitest'
import { readSshBanner, startsSsh } from '../../../protocols/ssh/banner.ts'

const read = (text: string) => {
  const bytes = Buffer.from(text, 'latin1')
  return readSshBanner(bytes, 0, bytes.length)
}
/** A line whose first line end is at `offset`. */
const ending = (offset: number) => `${'SSH-'.padEnd(offset, 'a')}\n`

describe('the banner of SSH', () => {
  it.each([
    ['SSH-2.0-a\r\n', 'SSH-2.0-a', 11],
    ['SSH-2.0-a\n', 'SSH-2.0-a', 10],
    ['SSH-2.0-a\rSSH', 'SSH-2.0-a', 10],
    ['SSH-1.99-Cisco-1.25\nSSH', 'SSH-1.99-Cisco-1.25', 20],
    ['SSH-2.0-a\0b\x1b[31m\r\n', 'SSH-2.0-a\0b\x1b[31m', 18],
    ['SSH-a\n', 'SSH-a', 6],
    [ending(254), ending(254).slice(0, 254), 255],
  ])('in %j is %j', (sent, text, next) => {
    expect(read(sent)).toEqual({ state: 'found', text, next })
  })

  it.each([
    ['nothing after SSH-', 'SSH-\r\n'],
    ['something before it', 'xSSH-2.0-a\n'],
    ['a byte 0xff', 'SSH-2.0-\xff\n'],
    ['no end in 255 bytes', ending(255)],
    ['small letters', 'ssh-2.0-a\n'],
  ])('is not believed with %s', (_, sent) => expect(read(sent)).toEqual({ state: 'none' }))

  it('may come in pieces', () => {
    const line = ending(254)
    for (let end = 0; end < line.length; end++) {
      expect(read(line.slice(0, end))).toEqual({ state: 'more' })
    }
    expect(read('SSH-'.padEnd(255, 'a'))).toEqual({ state: 'none' })
  })

  it('is told from its first bytes', () => {
    const bytes = Buffer.from('SSH-2.0')
    expect(startsSsh(bytes, 0, 0)).toBe(false)
    for (let end = 1; end <= bytes.length; end++) expect(startsSsh(bytes, 0, end)).toBe(true)
    expect(startsSsh(bytes, 1, bytes.length)).toBe(false)
  })
})
