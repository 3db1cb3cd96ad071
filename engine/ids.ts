/** Ids that are the same at every replay: made from where an event comes from, never from chance. */
import { hash } from 'node:crypto'

const ID_LENGTH = 32

/** Ids of a replay start from here, so that they are the same every time. */
export const REPLAY_EPOCH = '0000000000000000'

/** @returns the first 32 hex characters of SHA-256 over the parts, kept apart by NUL */
export function deriveId(first: string, second: string | number, third?: string | number): string {
  const text = third === undefined ? `${first}\0${second}` : `${first}\0${second}\0${third}`
  return hash('sha256', text, 'hex').slice(0, ID_LENGTH)
}

/**
 * The id of the `sequence`th event of a source that names its events no better.
 * @param stream 16 hex characters that stand for one source of one state directory
 */
export function sequenceId(stream: string, sequence: number): string {
  return stream + sequence.toString(16).padStart(ID_LENGTH - stream.length, '0')
}

/** @returns the 16 hex characters `sequenceId` starts with */
export const streamId = (epoch: string, pipeline: string, source: string): string =>
  deriveId(epoch, pipeline, source).slice(0, 16)
