/**
 * What is said on the control socket of a running pipeline: one JSON object a line, a request from
 * the client, one answer or (to `tap`) a stream of them from the pipeline.
 */
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { LetterReport } from './dead_letter_replay.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'
import type { RunStats } from './run_stats.ts'

const closed = { additionalProperties: false }

const tapRequest = Type.Object(
  {
    op: Type.Literal('tap'),
    /** `node` or `node.port` */
    port: Type.String({ maxLength: 256 }),
    /** `[1, 10]`: one event in ten, always the same ones */
    sample: Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })]),
    /** CEL */
    where: Type.Optional(Type.String({ maxLength: 4096 })),
  },
  closed,
)
const statsRequest = Type.Object({ op: Type.Literal('stats') }, closed)
const replayRequest = Type.Object(
  {
    op: Type.Literal('replay_letters'),
    ids: Type.Optional(Type.Array(Type.Integer(), { maxItems: 10_000 })),
    node: Type.Optional(Type.String({ maxLength: 256 })),
    code: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
)

export type TapRequest = Static<typeof tapRequest>
type ReplayRequest = Static<typeof replayRequest>
export type ControlRequest = TapRequest | Static<typeof statsRequest> | ReplayRequest

/** One line from the pipeline. */
export type ControlAnswer =
  | { readonly tapping: string }
  | { readonly event: Event }
  /** events that the tap has let go so far, because there were too many or nobody took them */
  | { readonly dropped: number }
  /** events so far that the condition of the tap has no answer for, and why for the first of them */
  | { readonly unanswered: number; readonly why: string }
  | { readonly stats: RunStats }
  | { readonly letters: LetterReport }
  /** the pipeline ends; nothing more comes */
  | { readonly stopped: true }
  | { readonly error: { readonly code: string; readonly message: string } }

/** Ten thousand letters by id fit; a client that says more at once is none of ours. */
export const MAX_REQUEST_CHARACTERS = 262_144

const validator = Compile(Type.Union([tapRequest, statsRequest, replayRequest]))

/** @throws {EngineError} `CONTROL_REQUEST` on anything that is no request */
export function parseRequest(line: string): ControlRequest {
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch (cause) {
    throw new EngineError('CONTROL_REQUEST', 'the request is no JSON', { cause })
  }
  if (validator.Check(request)) return request
  throw new EngineError('CONTROL_REQUEST', 'the request is none this pipeline knows')
}
