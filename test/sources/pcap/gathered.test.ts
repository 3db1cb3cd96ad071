import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { gathered } from '../../../sources/pcap/gathered.ts'

/** Lets everything go on that waits for no timer. */
async function ticks(): Promise<void> {
  for (let tick = 0; tick < 50; tick++) await new Promise<void>((go) => process.nextTick(go))
}

const writtenOneByOne = async (isOver: boolean) => {
  const stream = new PassThrough()
  const pieces = gathered(stream, () => isOver)
  stream.write('a')
  const first = await pieces.next()
  const second = pieces.next()
  for (const letter of 'bcd') {
    await ticks()
    stream.write(letter)
  }
  stream.end()
  return [String(first.value), String((await second).value)]
}

it('hands on the first packet at once, and what comes right behind it together', async () => {
  expect(await writtenOneByOne(false)).toEqual(['a', 'bcd'])
})

it('waits for nothing once the capture is to stop', async () => {
  expect(await writtenOneByOne(true)).toEqual(['a', 'b'])
})

it('does not wait behind a piece that is long', async () => {
  const stream = new PassThrough({ highWaterMark: 2 ** 20 })
  const pieces = gathered(stream, () => false)
  stream.write('a'.repeat(16 * 1024))
  await pieces.next()
  const second = pieces.next()
  for (const letter of 'bcd') {
    await ticks()
    stream.write(letter)
  }
  expect(String((await second).value)).toBe('b')
  stream.destroy()
})
