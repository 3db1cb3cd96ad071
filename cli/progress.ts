/** Shows how far long work is: a bar on a terminal, a line every few seconds elsewhere. */
import { stopwatch } from '../engine/clock.ts'
import type { Progress } from '../engine/report.ts'
import { grouped } from './text_table.ts'

/** How often a line is printed where there is no terminal. */
const LINE_INTERVAL_MS = 5000

/** Where progress goes; the part of a terminal's stream that is needed here. */
export type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>

export interface ProgressView {
  show(progress: Progress): void
  /** Writes something else to the same screen, clear of the bar. */
  write(text: string): void
  /** Leaves the bar as it is and goes to the next line. */
  end(): void
}

/** @param label a word in front, e.g. `replay` */
export async function makeProgressView(screen: Screen, label: string): Promise<ProgressView> {
  return screen.isTTY ? barView(screen, label) : lineView(screen, label)
}

/** For a service: its log says what there is to say, and the metrics the rest. */
export const quietView = (screen: Screen): ProgressView => ({
  show() {},
  write: (text) => void screen.write(text),
  end() {},
})

/** How often a program is told. */
const JSON_INTERVAL_MS = 250

/** For programs: `{"progress":{…}}`, a line each, among whatever else is written. */
export function jsonView(screen: Screen): ProgressView {
  let last = Number.NEGATIVE_INFINITY
  let untold: Progress | undefined
  const tell = () => {
    if (untold) screen.write(`${JSON.stringify({ progress: untold })}\n`)
    untold = undefined
  }
  return {
    show(progress) {
      const now = stopwatch()
      untold = progress
      if (now - last < JSON_INTERVAL_MS) return
      last = now
      tell()
    },
    write: (text) => void screen.write(text),
    end: tell,
  }
}

function lineView(screen: Screen, label: string): ProgressView {
  let last = stopwatch()
  return {
    show(progress) {
      const now = stopwatch()
      if (now - last < LINE_INTERVAL_MS) return
      last = now
      screen.write(`${label}: ${progressText(progress)}\n`)
    },
    write: (text) => void screen.write(text),
    end() {},
  }
}

const BAR_WIDTH = 30

async function barView(screen: Screen, label: string): Promise<ProgressView> {
  const { default: cliProgress } = await import('cli-progress')
  const start = (total: number) => {
    // Where no end is known a bar would only stand still.
    const format = total > 0 ? `${label} {bar} {text}` : `${label} {text}`
    const options = { stream: screen as NodeJS.WriteStream, format, barsize: BAR_WIDTH }
    const bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic)
    bar.start(Math.max(total, 1), 0, { text: '' })
    return bar
  }
  let bar: ReturnType<typeof start> | undefined
  return {
    show(progress) {
      bar ??= start(progress.bytesTotal ?? 0)
      bar.update(progress.bytesRead ?? 0, { text: progressText(progress) })
    },
    // The bar draws itself again with the next update, on the line below.
    write: (text) => void screen.write(bar ? `\r\x1b[K${text}` : text),
    end() {
      bar?.stop()
      bar = undefined
    },
  }
}

/** @example `41% 20,123 read, 98,201/s` */
export function progressText(progress: Progress): string {
  const { read, unit = 'read', bytesRead, bytesTotal, seconds } = progress
  const share =
    bytesTotal && bytesRead !== undefined
      ? `${Math.floor((100 * Math.min(bytesRead, bytesTotal)) / bytesTotal)}% `
      : ''
  const rate = seconds > 0 ? `, ${grouped(Math.round(read / seconds))}/s` : ''
  return `${share}${grouped(read)} ${unit}${rate}`
}
