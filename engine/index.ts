/** The engine's public surface for authors of sources, operators and sinks. */
export type { Batch } from './batch.ts'
export type { Expression } from './cel.ts'
export type { Clock } from './clock.ts'
export { every, freshEpoch, jitter, liveClock, pause, stopwatch, turn } from './clock.ts'
export type { Unit } from './compile/unit.ts'
export { conditionReason, holds } from './condition.ts'
export type {
  AnyOperator,
  AnySink,
  AnySource,
  CaptureContext,
  CapturedChunk,
  Chunk,
  Context,
  Emission,
  Encoded,
  Enrichment,
  Example,
  Following,
  Json,
  Keyed,
  Refusal,
  Reject,
  Resource,
  Timers,
  Writer,
} from './define.ts'
export { defineOperator, defineResource, defineSink, defineSource, to } from './define.ts'
export { EngineError, FatalError, UnavailableError } from './errors.ts'
export type { Data, Draft, Event, Failure } from './event.ts'
export { cel, duration, size } from './fields.ts'
export { sequenceId } from './ids.ts'
export { chunkOfLines, type LineBlock } from './line_block.ts'
