/** Validators of option values that several commands take. */
import * as t from 'typanion'

export const outputFormat = t.isEnum(['human', 'json'] as const)

/** Events a batch; the bounds are those of `settings.batch_size`. */
export const batchSize = t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 65_536)])
