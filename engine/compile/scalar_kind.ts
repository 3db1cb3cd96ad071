/** Durations, sizes and CEL expressions: text that components get ready to use. */
import { CelError, compileCel } from '../cel.ts'
import { KIND, parseDuration, parseSize } from '../fields.ts'
import { type Place, say } from './place.ts'
import { printable } from './printable.ts'
import { type Reading, shownScalar, spanOfScalar } from './reading.ts'
import { locateInScalar } from './scalar_span.ts'
import type { Shape } from './shape.ts'
import type { Scalar } from './tree.ts'

/** @returns ms, bytes or an expression, in `show` the text; undefined where a problem was reported */
export function readKind(
  value: string,
  scalar: Scalar,
  shape: Shape,
  place: Place,
  reading: Reading,
): unknown {
  if (shape[KIND] === 'cel') return readCel(value, scalar, shape, place, reading)
  const isDuration = shape[KIND] === 'duration'
  const amount = isDuration ? parseDuration(value) : parseSize(value)
  if (amount !== undefined && amount <= Number.MAX_SAFE_INTEGER) {
    return reading.decode === 'show' ? scalar.shown : amount
  }
  const what = isDuration ? 'a duration' : 'a size'
  const units = isDuration
    ? 'ms, s, m, h or d, as in 300s'
    : 'B, KB, MB, GB, KiB, MiB or GiB, as in 64MiB'
  reading.problems.error(
    isDuration ? 'DURATION' : 'SIZE',
    spanOfScalar(scalar, place),
    `${say(place)} must be ${what}, not ${shownScalar(scalar)}`,
    { help: `write a number and, without a space, ${units}.` },
  )
  return undefined
}

function readCel(
  value: string,
  scalar: Scalar,
  shape: Shape,
  place: Place,
  { problems, decode }: Reading,
): unknown {
  try {
    const expression = compileCel(value, shape['x-decnet-result'] ?? 'any')
    return decode === 'show' ? scalar.shown : expression
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    // What CEL says quotes the expression, which a secret may be part of.
    const why = scalar.secret ? 'is no valid expression' : printable(error.message)
    const span = locateInScalar(problems.text, scalar, error.start, error.end)
    problems.error(
      'CEL',
      span.end > span.start ? span : spanOfScalar(scalar, place),
      `${say(place)}: ${why}`,
      {
        help: 'CEL sees id, topic, time (ms) and data; a key that may be missing is asked for by has(data.key).',
      },
    )
    return undefined
  }
}
