/** All pipelines with how they stand, one of which is looked at. */
import type { Pipeline } from '../api/types.ts'
import { Status, type Tone } from '../components/badge.tsx'
import { compact, rate } from '../format/number.ts'
import { inflow, type Rates, totalOf } from './pipeline_rates.ts'

interface PipelinePickerProps {
  readonly pipelines: readonly Pipeline[]
  readonly rates: ReadonlyMap<string, Rates>
  readonly chosen: string
  readonly choose: (name: string) => void
}

export function PipelinePicker({ pipelines, rates, chosen, choose }: PipelinePickerProps) {
  return (
    <fieldset className="pipeline-tabs plain">
      <legend className="visually-hidden">Pipelines</legend>
      {pipelines.map((pipeline) => {
        const { name, running } = pipeline
        const troubles = totalOf(pipeline, 'errors') + totalOf(pipeline, 'dropped')
        const flow = rate(inflow(pipeline, rates.get(name) ?? new Map()))
        return (
          <button
            key={name}
            type="button"
            className="pipeline-tab"
            aria-pressed={name === chosen}
            title={pipeline.description}
            onClick={() => choose(name)}
          >
            <Status tone={toneOf(running, troubles)}>{name}</Status>
            <span className="figure">
              {running ? flow : 'stopped'}
              {troubles > 0 && ` · ${compact(troubles)} !`}
            </span>
          </button>
        )
      })}
    </fieldset>
  )
}

const toneOf = (running: boolean, troubles: number): Tone =>
  running ? (troubles > 0 ? 'warn' : 'good') : 'neutral'

/** The one that is asked for, or the first that runs. */
export function chosenOf(pipelines: readonly Pipeline[], asked: string): Pipeline | undefined {
  return (
    pipelines.find(({ name }) => name === asked) ??
    pipelines.find(({ name, running }) => running && name === 'ingest') ??
    pipelines.find(({ running }) => running) ??
    pipelines.find(({ name }) => name === 'ingest') ??
    pipelines[0]
  )
}

/** What the colours of nodes mean. */
export function PipelineLegend() {
  return (
    <span className="legend">
      {(['source', 'operator', 'sink'] as const).map((name) => (
        <span key={name}>
          <i aria-hidden className={`key-${name}`} /> {name}
        </span>
      ))}
    </span>
  )
}
