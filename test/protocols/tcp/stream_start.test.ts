import { describe, expect, it } from 'vitest'
import { keepHead } from '../../../protocols/tcp/stream_head.ts'
import {
  feedStart,
  finish,
  newStart,
  type StartOptions,
} from '../../../protocols/tcp/stream_start.ts'

/** A protocol that begins with `GO`, judged by as much of it as is there. */
const begins: StartOptions['begins'] = (bytes, start, end) => {
  const text = Buffer.from(bytes.subarray(start, Math.min(end, start + 2))).toString('latin1')
  return text !== '' && 'GO'.startsWith(text)
}

/** One direction that keeps all it gets, and goes through JSON as a restart would. */
function direction(options: Partial<StartOptions> = {}) {
  let start = newStart()
  const limits = { begins, limit: 100, tries: 5, ...options }
  return {
    get state() {
      return start
    },
    get size() {
      return JSON.stringify(start).length
    },
    feed(seq: number, text: string, time = 0): string | undefined {
      const whole = feedStart(start, seq >>> 0, Buffer.from(text, 'latin1'), time, limits)
      if (whole && start.head) keepHead(start.head, whole)
      start = JSON.parse(JSON.stringify(start))
      return whole?.toString('latin1')
    },
    finish() {
      finish(start)
    },
  }
}

describe('the start of a protocol', () => {
  it('is where a segment begins with it', () => {
    const one = direction()
    expect([one.feed(500, 'GO'), one.feed(502, ' on')]).toEqual(['GO', 'GO on'])
  })

  it('may come after other talk', () => {
    const one = direction()
    expect([one.feed(1, 'hello'), one.feed(6, 'and'), one.feed(9, 'GO!')]).toEqual([
      undefined,
      undefined,
      'GO!',
    ])
  })

  it('takes up what had overtaken it, in any order', () => {
    const one = direction()
    expect([one.feed(9, 'three'), one.feed(4, 'two__'), one.feed(1, 'GO_')]).toEqual([
      undefined,
      undefined,
      'GO_two__three',
    ])
    expect(one.state.early).toBeUndefined()
  })

  it('takes up none of what came before it in the stream', () => {
    const one = direction()
    one.feed(1, 'abc')
    expect(one.feed(4, 'GO')).toBe('GO')
  })

  it('waits for a gap between it and what had overtaken it', () => {
    const one = direction()
    one.feed(6, 'end')
    expect([one.feed(1, 'GO'), one.feed(3, '___')]).toEqual(['GO', 'GO___end'])
  })

  it('may lie where sequence numbers start over', () => {
    const one = direction()
    one.feed(1, 'end')
    expect(one.feed(2 ** 32 - 2, 'GO_')).toBe('GO_end')
  })

  it('is not looked for any more after as many other segments as told', () => {
    const one = direction({ tries: 5 })
    for (let n = 0; n < 5; n++) expect(one.feed(n, 'x')).toBeUndefined()
    expect(one.state.over).toBeUndefined()
    one.feed(5, 'x')
    expect(one.state.over).toBe(true)
    expect(one.feed(6, 'GO')).toBeUndefined()
  })

  it('is waited for ten seconds, and then forgotten', () => {
    const one = direction()
    one.feed(1, 'GO', 1000)
    expect(one.feed(3, '!', 11_000)).toBe('GO!')
    expect(one.feed(4, '!', 11_001)).toBeUndefined()
    expect(one.state).toMatchObject({ over: true })
    expect(one.state.head).toBeUndefined()
  })

  it('is not looked at beyond its limit', () => {
    const one = direction({ limit: 4 })
    expect([one.feed(1, 'GO1234567'), one.feed(10, 'x')]).toEqual(['GO12', undefined])
  })

  it('takes no more than its limit for what has overtaken it, all together', () => {
    const one = direction({ limit: 1000 })
    for (let n = 0; n < 3; n++) one.feed(n * 700, 'x'.repeat(700))
    expect(one.size).toBeLessThan(1500)
    const other = direction({ limit: 1000 })
    for (let n = 0; n < 3; n++) other.feed(2 + n * 300, 'x'.repeat(300))
    expect(other.feed(0, 'GO')).toBe(`GO${'x'.repeat(900)}`)
  })

  it('leaves nothing behind once it is finished', () => {
    const one = direction()
    one.feed(9, 'early')
    one.feed(1, 'GO')
    one.finish()
    expect(one.feed(3, 'more')).toBeUndefined()
    expect(one.size).toBeLessThan(50)
  })
})
