/** Takes events and does nothing with them. */
import { Type } from 'typebox'
import { defineSink } from '../engine/index.ts'

export const nullSink = defineSink({
  type: 'null',
  summary: 'Discards every event; for measuring, and for outputs one wants read but not kept.',
  promise: 'Nothing is kept, so a repeat changes nothing.',
  effect: 'exactly_once',
  config: Type.Object({}),
  examples: [{ title: 'Keep nothing', yaml: 'type: null' }],
  open: () => ({ write: async () => undefined }),
})
