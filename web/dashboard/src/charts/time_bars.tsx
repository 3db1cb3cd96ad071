/** Counts over time as bars; a stretch can be picked with the mouse. */
import { useEffect, useEffectEvent, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useShownTheme } from '../app/remembered.ts'
import { grouped } from '../format/number.ts'
import type { TimeCount } from '../format/series.ts'
import { absolute } from '../format/time.ts'

interface TimeBarsProps {
  /** what is counted, for those who do not see the bars */
  readonly name: string
  /** by time, without holes */
  readonly counts: readonly TimeCount[]
  readonly height?: number
  /** seconds since the epoch */
  readonly onPick?: (from: number, until: number) => void
}

export function TimeBars({ name, counts, height = 120, onPick }: TimeBarsProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const note = useRef<HTMLSpanElement>(null)
  const theme = useShownTheme()
  const pick = useEffectEvent((from: number, until: number) => onPick?.(from, until))
  const isPickable = onPick !== undefined
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew in another theme
  useEffect(() => {
    const { current } = box
    if (!current) return undefined
    const made = new uPlot(
      optionsOf(current, height, isPickable, {
        hover(index, data) {
          const at = index === null ? undefined : data[0][index]
          const count = index === null ? undefined : data[1]?.[index]
          if (!note.current) return
          note.current.textContent =
            at === undefined || count == null ? '' : `${absolute(at * 1000)} · ${grouped(count)}`
        },
        pick,
      }),
      [[], []],
      current,
    )
    plot.current = made
    const observer = new ResizeObserver(() => {
      made.setSize({ width: Math.max(current.clientWidth, 60), height })
    })
    observer.observe(current)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [height, isPickable, theme])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot made anew has no data yet
  useEffect(() => {
    plot.current?.setData([counts.map(({ at }) => at), counts.map(({ count }) => count)])
  }, [counts, height, isPickable, theme])
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  const peak = counts.reduce<TimeCount | undefined>(
    (most, one) => (most === undefined || one.count > most.count ? one : most),
    undefined,
  )
  const label =
    total === 0 || !peak
      ? `${name}: none`
      : `${name}: ${grouped(total)} in all, at most ${grouped(peak.count)}, at ${absolute(peak.at * 1000)} UTC`
  return (
    <div className="chart" role="img" aria-label={label} style={{ height: `${height}px` }}>
      <span ref={note} className="chart-note" aria-hidden />
      <div ref={box} aria-hidden />
    </div>
  )
}

interface Heard {
  hover(index: number | null, data: uPlot.AlignedData): void
  pick(from: number, until: number): void
}

const DAY = 86_400

/** @returns `09:30`, or `03-01` where hours say nothing */
const shortTime = (ms: number, isDay: boolean): string =>
  isDay ? absolute(ms).slice(5, 10) : absolute(ms).slice(11, 16)

/** A canvas knows no custom properties: what they stand for here and now. */
function colourOf(element: Element, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function optionsOf(
  box: HTMLElement,
  height: number,
  isPickable: boolean,
  heard: Heard,
): uPlot.Options {
  const [series = '', grid = '', faint = ''] = ['--series', '--grid', '--text-faint'].map((name) =>
    colourOf(box, name),
  )
  const font = `11px ${getComputedStyle(box).fontFamily}`
  const axis = {
    font,
    stroke: faint,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
  } as const
  const bars = uPlot.paths.bars?.({ size: [0.86, 40], align: 1 })
  return {
    width: Math.max(box.clientWidth, 60),
    height,
    padding: [18, 18, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: isPickable, y: false, setScale: false },
    },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, 1) * 1.08] } },
    axes: [
      {
        ...axis,
        size: 22,
        gap: 2,
        space: 64,
        grid: { show: false },
        values: (_plot, splits, _axis, _space, step) =>
          splits.map((at) => shortTime(at * 1000, step >= DAY)),
      },
      {
        ...axis,
        size: 44,
        gap: 4,
        splits: (_plot, _axis, _low, high) => [0, Math.round(high / 2.16), Math.round(high / 1.08)],
        values: (_plot, splits) => splits.map((value) => grouped(value)),
      },
    ],
    series: [
      {},
      {
        ...{ fill: series, stroke: series, width: 0, points: { show: false } },
        ...(bars && { paths: bars }),
      },
    ],
    hooks: {
      setCursor: [(plot) => heard.hover(plot.cursor.idx ?? null, plot.data)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < 4) return
          const from = plot.posToVal(left, 'x')
          const until = plot.posToVal(left + width, 'x')
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          heard.pick(from, until)
        },
      ],
    },
  }
}
