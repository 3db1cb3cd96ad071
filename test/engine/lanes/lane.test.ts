import { describe, expect, it } from 'vitest'
import { liveClock } from '../../../engine/clock.ts'
import { makeContext, silentLog } from '../../../engine/context.ts'
import type { AnySink, AnySource } from '../../../engine/define.ts'
import type { Bypass, NumberedLines } from '../../../engine/inlet.ts'
import { openLane } from '../../../engine/lanes/lane.ts'
import { type LineBlock, readLines } from '../../../engine/line_block.ts'
import { wire } from '../../../engine/wire.ts'
import { each, listSink, listSource, planOf } from '../stand_ins.ts'

/** Every tenth line cannot be read, every seventh makes the operator fail. */
const source: AnySource = {
  ...listSource([]),
  fromLine: (line, time) => {
    const draft = { topic: 'line', time: time + line.length, data: { line } }
    return line.endsWith('0') ? { failure: { code: 'BAD', message: 'no' }, draft } : draft
  },
}
const operator = each((event) => {
  if (Number(event.data.line) % 7 === 0) throw new Error('seven')
  return event
})
const sink: AnySink = {
  ...listSink([]),
  encode: () => (events, room) => {
    const text = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    if (text.length > room.length) return { bytes: text, refusals: [] }
    text.copy(room)
    return { bytes: room.subarray(0, text.length), refusals: [] }
  },
}
const plan = planOf({
  lines: { component: source },
  work: { component: operator, inputs: ['lines'] },
  file: { component: sink, inputs: ['work'] },
})
const stream = '0123456789abcdef'

function blockOf(count: number): LineBlock {
  const texts = Array.from({ length: count }, (_, index) => `${index}`)
  let length = 0
  const ends = texts.map((text) => {
    length += text.length + 1
    return length - 1
  })
  return {
    bytes: new Uint8Array(Buffer.from(`${texts.join('\n')}\n`)),
    ends: new Uint32Array(ends),
    receivedAt: new Float64Array(texts.map((_, index) => index)),
    fields: { peer: 'here' },
  }
}

/** The graph of the first thread, and what a lane would be given. */
function firstThread() {
  const written: unknown[] = []
  const letters: unknown[] = []
  const wired = wire({
    plan,
    clock: liveClock,
    epoch: '',
    contextFor: (node, clock, counters) =>
      makeContext({
        pipeline: 'test',
        node: node.id,
        clock,
        signal: new AbortController().signal,
        log: silentLog,
        use: () => Promise.reject(new Error('none')),
        counters,
      }),
    openSink: async () => ({
      write: async (events) => {
        written.push(...events)
        return undefined
      },
    }),
    openDeadLetters: async () => ({
      write: async (events) => {
        letters.push(...events)
        return undefined
      },
    }),
    batchSize: 512,
    attempts: 1,
    pause: async () => undefined,
    log: silentLog,
    giveUp: new AbortController().signal,
    onFatal: (error) => letters.push(error),
  })
  const inlet = wired.inlets.get('lines')
  if (!inlet) throw new Error('not wired')
  inlet.number({ stream, sequence: 250 })
  return { wired, inlet, written, letters }
}

describe('a lane that is given lines', () => {
  it('makes of them what the first thread makes of their events', async () => {
    const here = firstThread()
    const reader = (line: string, time: number) => source.fromLine(line, time, {}, false)
    here.inlet.send(readLines(blockOf(200), reader))
    await here.wired.flow.quiet()

    const there = firstThread()
    const given: NumberedLines[] = []
    const bypass: Bypass = {
      take: () => false,
      takesLines: () => true,
      takeLines: (_batch, lines) => given.push(lines),
    }
    expect(there.inlet.sendLines(blockOf(200))).toBe(false)
    there.inlet.bypass = bypass
    expect(there.inlet.sendLines(blockOf(200))).toBe(true)
    expect(there.inlet.sequence).toBe(here.inlet.sequence)
    const lane = openLane(plan, silentLog)
    for (const lines of given) {
      const made = await lane('lines', lines)
      const events = Buffer.from(made.sinks.file ?? [])
        .toString()
        .trimEnd()
        .split('\n')
      expect(events.map((text) => JSON.parse(text) as unknown)).toEqual(here.written)
      expect(made.deadLetters).toEqual(here.letters)
      expect(made.watermark).toBe(here.inlet.watermark)
      for (const [id, counted] of Object.entries(made.counts.nodes)) {
        const { in: taken, out, errors, filtered, lastTime } = counted
        if (id !== 'dead_letters' && id !== 'file')
          expect({ id, taken, out, errors, filtered, lastTime }).toEqual({
            id,
            taken: here.wired.counters.get(id)?.in,
            out: here.wired.counters.get(id)?.out,
            errors: here.wired.counters.get(id)?.errors,
            filtered: here.wired.counters.get(id)?.filtered,
            lastTime: here.wired.counters.get(id)?.lastTime,
          })
      }
      expect(made.counts.edges.map(({ sent }) => sent)).toEqual(
        here.wired.edges.map(({ sent }) => sent),
      )
      // Nothing of them is left where they were read.
      expect(lines.bytes.buffer.detached).toBe(true)
    }
    expect(given).toHaveLength(1)
    expect(here.letters.length).toBeGreaterThan(40)
  })
})
