import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readStream, stdin } from '../../sources/stdin.ts'
import { NOW, sourceContext, until } from './source_run.ts'

const config = { format: 'lines', topic: 'ndjson', max_line: 100 } as const

async function readAll(stream: Readable, more: object = {}) {
  const { context, counts } = sourceContext()
  const events = []
  let position: unknown
  for await (const chunk of readStream(stream, { ...config, ...more }, 10, context)) {
    events.push(...chunk.events)
    position = chunk.position
  }
  return { events, position, counts }
}

describe('stdin', () => {
  it('reads lines up to the end of input, the last one without a line end too', async () => {
    const { events, position } = await readAll(
      Readable.from([Buffer.from('a\nb\xc3', 'latin1'), Buffer.from([0xa9])]),
    )
    expect(events).toEqual([
      { topic: 'line', time: NOW, data: { line: 'a' } },
      { topic: 'line', time: NOW, data: { line: 'bé' } },
    ])
    expect(position).toEqual({ received: 12 })
  })

  it('cuts an over-long line, and counts it', async () => {
    const { events, counts } = await readAll(Readable.from([Buffer.from(`${'x'.repeat(101)}\n`)]))
    expect(events).toMatchObject([{ data: { line: 'x'.repeat(100), truncated: true } }])
    expect(counts).toEqual({ line_truncated: 1 })
  })

  it('reads events and objects where they are JSON, and refuses what is not', async () => {
    const event = { id: 'a'.repeat(32), topic: 't', time: 1, data: {} }
    const text = `${JSON.stringify(event)}\n{"n":1}\nbad\n`
    const { events } = await readAll(Readable.from([Buffer.from(text)]), { format: 'ndjson' })
    expect(events).toMatchObject([event, { data: { n: 1 } }, { failure: { code: 'BAD_JSON' } }])
  })

  it('makes the same of a captured line', () => {
    expect(stdin.fromLine('a', 5, config)).toEqual({ topic: 'line', time: 5, data: { line: 'a' } })
    const object = stdin.fromLine('{"n":1}', 5, { ...config, format: 'ndjson' })
    expect(object).toEqual({ topic: 'ndjson', time: 5, data: { n: 1 } })
  })

  it('hands out a flood of short lines in pulls of a bounded size', async () => {
    const { context } = sourceContext()
    const sizes: number[] = []
    const stream = Readable.from([Buffer.alloc(3000, '\n')])
    for await (const { events } of readStream(stream, config, 0, context)) sizes.push(events.length)
    expect(sizes).toEqual([1024, 1024, 952])
  })

  it('ends when the pipeline stops, though the input goes on', async () => {
    const { context, stop } = sourceContext()
    const stream = new PassThrough()
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const { events } of readStream(stream, config, 0, context)) seen.push(...events)
    })()
    stream.write('a\npart')
    await until(() => seen.length === 1)
    stop()
    await reading
    expect(seen).toHaveLength(1)
  })

  it('passes on an error of the input', async () => {
    const stream = new PassThrough()
    const reading = readAll(stream)
    stream.destroy(new Error('input broke'))
    await expect(reading).rejects.toThrow('input broke')
  })
})
