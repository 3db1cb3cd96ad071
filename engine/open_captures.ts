/** Opens what a replay reads: log files and event files, each for one source, and journals for many. */
import { type Capture, openCapture } from './capture.ts'
import { type CaptureRequest, type CaptureTarget, captureTargets } from './capture_target.ts'
import type { Logger } from './define.ts'
import { journalPipeline, openJournal } from './journal/capture.ts'
import { TIME } from './journal/entry.ts'
import type { Plan } from './plan.ts'

export interface OpenedCaptures {
  readonly targets: readonly CaptureTarget[]
  /** `target`s of their items, or their own, are indices of `targets` */
  readonly captures: readonly Capture[]
}

/**
 * @param log told what does not end the reading of a capture
 * @throws {EngineError} `CAPTURE_TARGET`, `CAPTURE`
 */
export async function openCaptures(
  plans: readonly Plan[],
  requests: readonly CaptureRequest[],
  log?: Pick<Logger, 'warn'>,
): Promise<OpenedCaptures> {
  const known = await Promise.all(
    requests.map(async (request) => {
      const journalOf = await journalPipeline(request.file)
      return journalOf === undefined ? request : { ...request, journalOf }
    }),
  )
  const targets = captureTargets(plans, known)
  const logs = targets.flatMap((one, target) => (one.journal ? [] : { ...one, target }))
  const captures = await Promise.all(
    logs.map(async ({ file, source, target }) => ({
      ...(await openCapture(file, source, log)),
      target,
    })),
  )
  const journals = new Set(targets.flatMap(({ journal, file }) => (journal ? [file] : [])))
  for (const file of journals) {
    captures.push({ ...(await openJournal(file, receiversOf(file, targets))), target: 0 })
  }
  return { targets, captures }
}

/**
 * A source that was named with the journal gets all of it, any other what was its own. Time goes on
 * once in each pipeline.
 */
function receiversOf(file: string, targets: readonly CaptureTarget[]) {
  const readers = targets.flatMap((one, index) => (one.file === file ? { ...one, index } : []))
  const known = new Map<string, readonly number[]>()
  return (id: string): readonly number[] => {
    let found = known.get(id)
    if (!found) {
      found = readers
        .filter(({ journal, source, plan }) =>
          id === TIME
            ? readers.find((reader) => reader.plan === plan)?.source === source
            : journal === 'all' || source.id === id,
        )
        .map(({ index }) => index)
      known.set(id, found)
    }
    return found
  }
}
