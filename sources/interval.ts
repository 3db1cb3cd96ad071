/** One event per period, by the clock. */
import { Type } from 'typebox'
import { TOPIC_PATTERN } from '../bus/topic.ts'
import { type Data, defineSource, duration, pause } from '../engine/index.ts'

/** A shorter period would be busy with itself. */
const SHORTEST = 10
/** The clock is looked at this often at least, ms: it may have been set. */
const LONGEST_WAIT = 60_000

interface IntervalConfig {
  readonly period: number
  readonly topic: string
  readonly data: Data
}

const periodOf = ({ period }: IntervalConfig): number => Math.max(period, SHORTEST)

const tick = ({ topic, data }: IntervalConfig, time: number, missed: number) => ({
  topic,
  time,
  data: { ...data, missed },
})

export const interval = defineSource({
  type: 'interval',
  summary: 'One event at every multiple of `period`, by the clock; in replay, by event time.',
  promise:
    'Replayable: the position is the last tick. Ticks missed while nobody ran or the pipeline was ' +
    'slow become one event with their number as `missed`. Needs no capture in replay: it ticks ' +
    'between the captured events, from the first to the last.',
  replayable: true,
  config: Type.Object({
    period: duration({ description: 'Time between two events, 10ms at least.' }),
    topic: Type.String({
      default: 'interval.tick',
      pattern: TOPIC_PATTERN,
      maxLength: 1024,
      description: 'Topic of the events; a constant.',
    }),
    data: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      maxProperties: 64,
      description: 'What every event carries besides `missed`.',
    }),
  }),
  examples: [
    { title: 'Every full minute', yaml: 'type: interval\nperiod: 1m' },
    {
      title: 'A daily report',
      yaml: 'type: interval\nperiod: 1d\ntopic: report.due\ndata: { report: daily }',
    },
  ],
  ticks: (config) => ({
    period: periodOf(config),
    draft: (time, missed) => tick(config, time, missed),
  }),
  async *read(config, position: { last: number } | undefined, { clock, signal, count }) {
    const period = periodOf(config)
    const latest = () => Math.floor(clock.now() / period) * period
    let last = position?.last ?? latest()
    while (!signal.aborted) {
      const due = latest()
      if (due > last) {
        const missed = Math.round((due - last) / period) - 1
        if (missed > 0) count('missed', missed)
        last = due
        yield { events: [tick(config, due, missed)], position: { last } }
        continue
      }
      // Set back by more than a period, it goes on from there rather than be silent for so long.
      if (due < last - period) {
        count('clock_set_back')
        last = due
      }
      await pause(Math.min(last + period - clock.now(), LONGEST_WAIT), signal)
    }
  },
  fromLine: (_line, receivedAt, config) => tick(config, receivedAt, 0),
})
