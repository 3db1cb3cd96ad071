/** Captures of an API, and replays of them that have come to their end. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { vi } from 'vitest'
import type { TestApi } from '../api/api.ts'

const SAMPLE = new URL('../../../samples/decnet.log.gz', import.meta.url).pathname

/** Writes the first lines of the sample as a capture. @param edit of each line */
export function putCapture(
  api: TestApi,
  name: string,
  lines: number,
  edit: (line: string) => string = (line) => line,
): void {
  const folder = join(api.folder, 'captures')
  mkdirSync(folder, { recursive: true })
  const sample = gunzipSync(readFileSync(SAMPLE)).toString('latin1').split('\n')
  writeFileSync(join(folder, name), `${sample.slice(0, lines).map(edit).join('\n')}\n`, 'latin1')
}

/** @returns the id of a replay that has come to its end */
export async function replayed(api: TestApi, capture: string): Promise<string> {
  const pipelines = ['ingest', 'profiler', 'clusterer']
  const answer = await api.post('/replays', { capture, pipelines }, 'ada')
  const { id } = answer.json() as { id: string }
  const isOver = async () => (await api.get(`/replays/${id}`, 'ada')).json().state !== 'running'
  await vi.waitUntil(isOver, { timeout: 60_000, interval: 50 })
  const { state, message } = (await api.get(`/replays/${id}`, 'ada')).json()
  if (state !== 'done') throw new Error(`the replay of ${capture} has ${state}: ${message}`)
  return id
}
