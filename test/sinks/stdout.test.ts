import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Event } from '../../engine/index.ts'
import { type Output, streamWriter } from '../../sinks/stdout.ts'

const event = (data: Record<string, unknown>, time = 1_772_355_601_123.456): Event => ({
  id: '0'.repeat(32),
  topic: 'a.b',
  time,
  data,
})

/** A stream that keeps what it gets, and takes it when told to. */
function fakeStream(isTTY = false) {
  const pending: ((error?: Error) => void)[] = []
  const listeners = new Set<(error: Error) => void>()
  const stream = {
    isTTY,
    text: '',
    listeners,
    settle: (error?: Error) => pending.shift()?.(error),
    write(text: string, done: (error?: Error | null) => void) {
      stream.text += text
      pending.push(done)
      return false
    },
    on: (_: 'error', listener: (error: Error) => void) => listeners.add(listener),
    off: (_: 'error', listener: (error: Error) => void) => listeners.delete(listener),
  } satisfies Output & Record<string, unknown>
  return stream
}

async function written(format: 'ndjson' | 'text', isTTY: boolean, ...events: Event[]) {
  const stream = fakeStream(isTTY)
  const writing = streamWriter(stream, format).write(events)
  stream.settle()
  await writing
  return stream.text
}

const NASTY = '\x1b[2J\x7f\x9b31m\u202e\u2028\ufeffé'

describe('the stdout sink', () => {
  it('writes canonical JSON lines', async () => {
    expect(await written('ndjson', false, event({ b: 1, a: 'é' }), event({}))).toBe(
      `{"data":{"a":"é","b":1},"id":"${'0'.repeat(32)}","time":1772355601123.456,"topic":"a.b"}\n` +
        `{"data":{},"id":"${'0'.repeat(32)}","time":1772355601123.456,"topic":"a.b"}\n`,
    )
  })

  it('writes text with the time in UTC', async () => {
    expect(await written('text', false, event({ b: 1, a: 2 }))).toBe(
      '2026-03-01T09:00:01.123Z a.b {"a":2,"b":1}\n',
    )
    expect(await written('text', false, event({}, 1e300))).toBe('1e+300 a.b {}\n')
  })

  it.each([
    ['text', false],
    ['text', true],
    ['ndjson', true],
  ] as const)('shows a terminal nothing it would obey: %s, terminal %s', async (format, isTTY) => {
    const text = await written(format, isTTY, event({ nasty: NASTY }))
    expect(text).toContain('\\u001b[2J\\u007f\\u009b31m\\u202e\\u2028\\ufeffé')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it looks for
    expect(text.slice(0, -1)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u202e\ufeff]/)
  })

  it('is as exact as JSON on a terminal too', async () => {
    const text = await written('ndjson', true, event({ nasty: NASTY }))
    expect(JSON.parse(text).data).toEqual({ nasty: NASTY })
  })

  it('waits until the system has taken a batch', async () => {
    const stream = fakeStream()
    let done = false
    const writing = streamWriter(stream, 'ndjson')
      .write([event({})])
      .then(() => {
        done = true
      })
    await new Promise((resolve) => setImmediate(resolve))
    expect(done).toBe(false)
    stream.settle()
    await writing
    expect(done).toBe(true)
  })

  it('says that its reader has left, at this write and at the next', async () => {
    const stream = fakeStream()
    const writer = streamWriter(stream, 'ndjson')
    const writing = writer.write([event({})])
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    for (const listener of stream.listeners) listener(error)
    stream.settle(error)
    await expect(writing).rejects.toMatchObject({ name: 'FatalError', code: 'STDOUT_CLOSED' })
    await expect(writer.write([event({})])).rejects.toMatchObject({ code: 'STDOUT_CLOSED' })
    await writer.close?.()
    expect(stream.listeners.size).toBe(0)
  })

  it('outlives a real reader that leaves, as in a pipe into head', async () => {
    const module = fileURLToPath(new URL('../../sinks/stdout.ts', import.meta.url))
    const code = `
      import { streamWriter } from ${JSON.stringify(module)}
      const writer = streamWriter(process.stdout, 'ndjson')
      const event = { id: '0', topic: 'a', time: 0, data: { text: 'x'.repeat(1000) } }
      try {
        for (;;) await writer.write([event])
      } catch (error) {
        process.stderr.write(error.code)
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.once('data', () => child.stdout.destroy())
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    const [status] = await once(child, 'close')
    expect([status, said]).toEqual([0, 'STDOUT_CLOSED'])
  })
})
