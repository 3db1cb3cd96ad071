/** All pipelines with how they stand, one of which is looked at. */
import type { Pipeline } from '../api/types.ts'
import { Status, type Tone } from '../components/badge.tsx'
import { compact, counted, grouped, rate } from '../format/number.ts'
import { inflow, NO_RATES, type Rates, totalOf } from './pipeline_rates.ts'

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
        const errors = totalOf(pipeline, 'errors')
        const dropped = totalOf(pipeline, 'dropped')
        const flow = rate(inflow(pipeline, rates.get(name) ?? NO_RATES))
        return (
          <button
            key={name}
            type="button"
            className="pipeline-tab"
            aria-pressed={name === chosen}
            title={pipeline.description}
            onClick={() => choose(name)}
          >
            <Status tone={toneOf(running, errors + dropped)}>{name}</Status>
            <span className="figure">
              {running ? flow : 'stopped'}
              {errors > 0 && ` · ${compact(errors)} err`}
              {dropped > 0 && ` · ${compact(dropped)} drop`}
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

/** In a line of its own, which is there whatever it says. */
export function Standing({ pipeline }: { pipeline: Pipeline }) {
  const { running, in_flight, credit, dead_letters, description } = pipeline
  return (
    <p className="standing">
      <span className="soft">{description}</span>
      {running ? (
        <span className="figure">
          {grouped(in_flight ?? 0)} in flight, credit {grouped(credit ?? 0)} a source ·{' '}
          {counted(dead_letters ?? 0, 'dead letter')}
        </span>
      ) : (
        <strong>Stopped: this is how its file wires it.</strong>
      )}
    </p>
  )
}

/** What colours and widths mean. */
export function PipelineLegend() {
  return (
    <span className="legend">
      {(['source', 'operator', 'sink'] as const).map((name) => (
        <span key={name}>
          <i aria-hidden className={`key-${name}`} /> {name}
        </span>
      ))}
      <span>
        <i aria-hidden className="key-late" /> late
      </span>
      <span>
        <i aria-hidden className="key-dropping" /> drops
      </span>
      <span>thicker: more events</span>
    </span>
  )
}
