import { describe, expect, it, vi } from 'vitest'
import { jsonView, makeProgressView, progressText } from '../../cli/progress.ts'

const half = { read: 20_123, bytesRead: 50, bytesTotal: 100, seconds: 0.5 }

/** A stream that keeps what is written to it. */
function screen(isTTY: boolean) {
  const written: string[] = []
  const write = (text: string) => written.push(text) > 0
  return { isTTY, columns: 100, write, text: () => written.join('') }
}

describe('progress', () => {
  it('is a share, a count and a rate', () =>
    expect(progressText(half)).toBe('50% 20,123 read, 40,246/s'))

  it('is only a count and a rate where no end is known', () =>
    expect(progressText({ read: 5, seconds: 5 })).toBe('5 read, 1/s'))

  it('is plain lines, seconds apart, without a terminal', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const pipe = screen(false)
    const view = await makeProgressView(pipe as never, 'replay')
    for (let second = 1; second <= 11; second++) {
      vi.advanceTimersByTime(1000)
      view.show(half)
    }
    view.end()
    vi.useRealTimers()
    expect(pipe.text()).toBe('replay: 50% 20,123 read, 40,246/s\n'.repeat(2))
  })

  it('is JSON for programs, a few lines a second, and the last in any case', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const pipe = screen(false)
    const view = jsonView(pipe as never)
    for (let read = 1; read <= 6; read++) {
      view.show({ read, seconds: read / 10 })
      vi.advanceTimersByTime(100)
    }
    view.end()
    vi.useRealTimers()
    const reads = pipe
      .text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).progress.read)
    expect(reads).toEqual([1, 4, 6])
  })

  it('makes room for a log line on a terminal', async () => {
    const terminal = screen(true)
    const view = await makeProgressView(terminal as never, 'replay')
    view.write('before\n')
    view.show(half)
    view.write('between\n')
    view.end()
    view.end()
    expect(terminal.text()).toMatch(/^before\n/)
    expect(terminal.text()).toContain('\r\x1b[Kbetween\n')
  })
})
