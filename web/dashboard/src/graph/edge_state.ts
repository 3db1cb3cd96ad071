/** How an edge of a running pipeline stands: in words first, which colour and width say again. */
import type { Pipeline, PipelineEdge } from '../api/types.ts'
import { compact, grouped, rate } from '../format/number.ts'
import { roughly } from '../format/time.ts'
import { type EdgeRates, edgesOf } from './pipeline_rates.ts'

/** An edge over which nothing has come for this long says nothing of how far behind it is, ms. */
const STILL = 30_000

/** From here on it is told how old events are when they pass, ms. */
const LATE = 30_000

/** From here on something is slow that ought not to be, ms. */
export const LONG_WAIT = 5000

export interface EdgeState {
  /** `12/s`; undefined where it is not known */
  readonly rate: string | undefined
  /** what is wrong, the worst first */
  readonly troubles: readonly string[]
  readonly tone: 'idle' | 'flowing' | 'late' | 'dropping'
  /** of the line, px */
  readonly width: number
}

/**
 * How old events are when they pass; while something waits, at least as long as that has.
 * @returns ms; undefined where nothing passes or waits
 */
function lagOf({ counters }: PipelineEdge): number | undefined {
  if (!counters) return undefined
  const { behind, idle = Number.POSITIVE_INFINITY, oldest } = counters
  const passing = behind !== undefined && idle < STILL ? Math.max(behind, 0) : undefined
  if (passing === undefined || oldest === undefined) return passing ?? oldest
  return Math.max(passing, oldest)
}

export function edgeState(edge: PipelineEdge, rates: EdgeRates | undefined): EdgeState {
  const { counters, capacity } = edge
  if (!counters) return { rate: undefined, troubles: [], tone: 'idle', width: 1 }
  const { dropped, waiting, oldest = 0 } = counters
  const lag = lagOf(edge) ?? 0
  const waits = waiting > 0 && (oldest > LONG_WAIT || waiting === capacity)
  const troubles = [
    dropped > 0 && `${compact(dropped)} dropped`,
    waits && `${compact(waiting)} wait ${roughly(oldest)}`,
    lag > LATE && `${roughly(lag)} behind`,
  ].filter((text) => typeof text === 'string')
  const flows = (rates?.sent ?? 0) > 0
  return {
    rate: rates && rate(rates.sent),
    troubles,
    tone: dropped > 0 ? 'dropping' : troubles.length > 0 ? 'late' : flows ? 'flowing' : 'idle',
    width: widthOf(rates?.sent ?? 0),
  }
}

/** One px more for each ten times as many events, from 1 to 6. */
const widthOf = (perSecond: number): number => Math.min(1 + Math.log10(1 + perSecond), 6)

/** For those who do not see the line. */
export function edgeLabel(from: string, to: string, edge: PipelineEdge, state: EdgeState): string {
  const { counters } = edge
  const told = counters
    ? [state.rate ?? 'rate not known yet', `${grouped(counters.sent)} events`, ...state.troubles]
    : ['not running']
  return [`${from} to ${to}`, ...told].join(', ')
}

/** @returns ms; undefined where nothing passes or waits */
export function greatestLag(pipeline: Pipeline): number | undefined {
  const lags = edgesOf(pipeline).flatMap(({ edge }) => lagOf(edge) ?? [])
  return lags.length === 0 ? undefined : Math.max(...lags)
}
