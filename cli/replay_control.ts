/** What the options of `replay` say about how far, how fast and where to look. */
import { compileCel } from '../engine/cel.ts'
import type { Plan } from '../engine/plan.ts'
import type { ReplayOptions } from '../engine/replay.ts'
import { momentOption, speedOption } from './moment.ts'
import { portName } from './port_name.ts'
import { UsageError } from './usage_error.ts'

export interface ControlTexts {
  readonly speed: string
  readonly from: string | undefined
  readonly until: string | undefined
  readonly breakIf: string | undefined
  readonly at: string | undefined
  readonly taps: readonly string[]
}

type Control = Pick<ReplayOptions, 'speed' | 'window' | 'breakAt' | 'taps'>

/**
 * @throws {UsageError} on values that make no sense
 * @throws {CelError} on a condition that is none
 */
export function replayControl(texts: ControlTexts, plans: readonly Plan[]): Control {
  const { speed, breakIf, at, taps } = texts
  const from = momentOption('--from', texts.from)
  const until = momentOption('--until', texts.until)
  if (from !== undefined && until !== undefined && from >= until) {
    throw new UsageError('--from has to be earlier than --until.')
  }
  if (at !== undefined && breakIf === undefined) {
    throw new UsageError('--at says where --break looks, and there is no --break.')
  }
  return {
    speed: speedOption(speed),
    ...((from ?? until) !== undefined && { window: { from, until } }),
    ...(breakIf !== undefined && {
      breakAt: {
        condition: compileCel(breakIf, 'bool'),
        at: at === undefined ? undefined : portName(at, plans),
      },
    }),
    taps: taps.map((name) => ({ name, ...portName(name, plans) })),
  }
}
