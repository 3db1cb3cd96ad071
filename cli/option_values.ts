/** Validators of option values that several commands take. */
import * as t from 'typanion'

export const outputFormat = t.isEnum(['human', 'json'] as const)

/** Events a batch; the bounds are those of `settings.batch_size`. */
export const batchSize = t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 65_536)])

/** How many of something, one at least. */
export const count = t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 1_000_000)])

/** Things shown of each kind; 0 for the counts alone. */
export const mostShown = t.cascade(t.isNumber(), [
  t.isInteger(),
  t.isInInclusiveRange(0, 1_000_000),
])

/** Whether a replay may ask the outside for what no journal holds. */
export const askMode = t.isEnum(['live'] as const)

/** A span of seconds, a day at most. */
export const seconds = t.cascade(t.isNumber(), [t.isInInclusiveRange(0.01, 86_400)])

/** What p0f calls the two kinds of packets it has signatures of. */
export const p0fModule = t.isEnum(['syn', 'syn+ack'] as const)

/** Targets a secret must have been tried on to be told. */
export const fewestTargets = t.cascade(t.isNumber(), [
  t.isInteger(),
  t.isInInclusiveRange(2, 1_000_000),
])

/** A TCP port. */
export const portNumber = t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 65_535)])
