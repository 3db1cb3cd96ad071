import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { logRows } from '../../../engine/diff/rows.ts'
import { portLogFile } from '../../../engine/edge_log.ts'
import { type Explained, explainEvent } from '../../../engine/explain/explain_event.ts'
import { explainFromRun } from '../../../engine/explain/explain_from_run.ts'
import { compiled, login, type Scratch, scratch } from '../diff/replays.ts'

let runs: Scratch
beforeEach(() => {
  runs = scratch()
})
afterEach(() => runs.remove())

const PIPELINE = compiled(`
name: logins
description: Logins of some decoys, and their secrets
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  wanted: { type: filter, inputs: [parsed], where: 'data.decky == "web-01"' }
  creds: { type: credential, inputs: [wanted] }
sinks:
  rows: { type: repo, inputs: [wanted], entity: log }
  secrets: { type: repo, inputs: [creds], entity: credential }
`)

const LINES = [login(1, 'web-01'), login(2, 'db-02'), login(20, 'web-01', '%%%'), 'no syslog']

async function idsAt(port: string, dir: string): Promise<string[]> {
  const ids: string[] = []
  for await (const rows of logRows(portLogFile(dir, 'logins', port))()) {
    ids.push(...rows.map(({ id }) => id))
  }
  return ids
}

/** What a replay tells and a directory knows too. */
const known = ({ id, found, events, steps }: Explained) => ({
  id,
  found,
  events,
  steps: steps.map(({ node, event, kind, failure }) => ({ node, event, kind, failure })),
})

describe('explain-event from a finished replay', () => {
  it('tells of every event, read or made, the steps that a replay would tell', async () => {
    const file = runs.capture(LINES)
    const dir = await runs.run('out', PIPELINE, file)
    const ids = new Set([...(await idsAt('lines', dir)), ...(await idsAt('creds', dir))])
    expect(ids.size).toBe(5)
    for (const id of ids) {
      const replayed = await explainEvent(id, runs.options([PIPELINE], file))
      expect(known(await explainFromRun(id, dir))).toEqual(known(replayed))
    }
  })

  it('compares fields where a sink was given both forms of the event', async () => {
    const dir = await runs.run('out', PIPELINE, runs.capture(LINES))
    const [line] = await idsAt('lines', dir)
    const { steps } = await explainFromRun(line ?? '', dir)
    const made = steps.find(({ kind }) => kind === 'made')?.handedOn[0]
    expect(made).toMatchObject({ topic: 'credential.captured' })
    expect(made?.changes).toContainEqual({ path: 'data.principal', after: 'root' })
  })

  it('says that there is no such event, and refuses what is no replay', async () => {
    const dir = await runs.run('out', PIPELINE, runs.capture(LINES))
    expect(await explainFromRun('f'.repeat(32), dir)).toMatchObject({ found: false, steps: [] })
    expect(await explainFromRun('of a source of its own', dir)).toMatchObject({ found: false })
    await expect(explainFromRun('x', runs.dir)).rejects.toMatchObject({ code: 'NOT_A_REPLAY' })
  })
})
