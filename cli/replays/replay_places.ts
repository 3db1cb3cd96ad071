/** Where events passed in a finished replay, and which. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { loggedRuns } from '../../engine/diff/edge_log_head.ts'
import { logRows, type Row, sinkRows } from '../../engine/diff/rows.ts'
import { deadLetterFile, sinkFile } from '../../engine/diff/run_files.ts'
import { portLogFile } from '../../engine/edge_log.ts'
import type { ReplayPlace } from '../../store/replay_index.ts'

/** `topic` is known where the text is. */
export type Found = Pick<Row, 'id' | 'digest'> & { readonly time: number; readonly topic?: string }

/** A place whose events can be read again and again. */
export interface Place extends Omit<ReplayPlace, 'count' | 'counts'> {
  /** below the folder; undefined: of this place there are no texts */
  readonly file: string | undefined
  found(): AsyncIterable<Found>
}

/** @returns places in the order of the flow, pipeline after pipeline @throws {EngineError} `NOT_A_REPLAY` */
export function placesOf(dir: string): Place[] {
  return loggedRuns(dir).flatMap((run) => {
    const { pipeline, nodes, ports } = run.head
    const below = (file: string) => file.slice(dir.length + 1)
    const ofNodes = nodes.flatMap((node): Place[] => {
      const own = ports.filter(
        ({ port, count }) => (port === node.id || port.startsWith(`${node.id}.`)) && count > 0,
      )
      const shown = own.map(({ port }): Place => {
        const name = port.slice(node.id.length + 1)
        const file = portLogFile(dir, pipeline, port)
        const place = {
          pipeline,
          node: node.id,
          port: name,
          kind: 'port',
          file: undefined,
        } as const
        return { ...place, found: () => recorded(file) }
      })
      if (node.section !== 'sinks') return shown
      const file = sinkFile(run, node.id)
      const sink = { pipeline, node: node.id, port: '', kind: 'sink', file: below(file) } as const
      return [{ ...sink, found: () => written(file) }, ...shown]
    })
    const dead = deadLetterFile(run)
    if (!existsSync(dead)) return ofNodes
    const letters = { pipeline, node: '', port: '', kind: 'dead_letters' } as const
    return [...ofNodes, { ...letters, file: below(dead), found: () => written(dead) }]
  })
}

async function* recorded(file: string): AsyncGenerator<Found> {
  for await (const rows of logRows(file)()) {
    for (const { id, digest, time = 0 } of rows) yield { id, digest, time }
  }
}

async function* written(file: string): AsyncGenerator<Found> {
  if (!existsSync(file)) return
  const handle = openSync(file, 'r')
  try {
    for await (const rows of sinkRows(file)()) {
      for (const row of rows) {
        const { time, topic } = endOf(row, handle)
        yield { id: idDigits(row.id), digest: row.digest, time, topic }
      }
    }
  } finally {
    closeSync(handle)
  }
}

/** Ids of a source's own making need not be hex; what they are stands in the text. */
const idDigits = (id: string): string =>
  /^[0-9a-f]{32}$/.test(id) ? id : Buffer.from(id).subarray(0, 16).toString('hex')

/** Members are sorted, so that `time` and `topic` are the last of a line. */
const END = /,"time":([-+.\deE]{1,32}),"topic":("(?:[^"\\]|\\.){0,400}")\}$/
const END_BYTES = 512

function endOf({ at, length }: Row, handle: number): { time: number; topic: string } {
  const bytes = Buffer.alloc(Math.min(length, END_BYTES))
  readSync(handle, bytes, 0, bytes.length, at + length - bytes.length)
  const [, time, topic] = END.exec(bytes.toString('utf8')) ?? []
  return { time: Number(time ?? 0), topic: topic === undefined ? '' : String(JSON.parse(topic)) }
}
