import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { decnetMeanwhile, scratchFolder } from './decnet.ts'

const dir = scratchFolder()
const env = { DECNET_DB_URL: `sqlite:${join(dir, 'w.db')}` }
beforeAll(async () => (await openDatabase(env.DECNET_DB_URL)).close())
afterAll(() => rmSync(dir, { recursive: true }))

const USAGE = 64
const NAMING = 'Name deliveries by ID or --webhook, or say --all.'

describe('decnet webhook dead', () => {
  it.each([
    [['drop', 'x'], USAGE, 'ID is a number; see webhook dead ls.'],
    [['replay', '0'], USAGE, 'ID is a number; see webhook dead ls.'],
    [['drop'], USAGE, NAMING],
    [['replay', '7', '--all'], USAGE, NAMING],
    [['drop', '--webhook', 'nobody'], USAGE, 'There is no webhook "nobody".'],
    [['ls', '--webhook', 'nobody'], USAGE, 'There is no webhook "nobody".'],
  ] as const)('%j is no way to say it', async (words, code, text) => {
    const ended = await decnetMeanwhile(['webhook', 'dead', ...words], { env })
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) })
  })

  it('says how many there were, none included', async () => {
    const [dropped, listed] = await Promise.all([
      decnetMeanwhile(['webhook', 'dead', 'drop', '7'], { env }),
      decnetMeanwhile(['webhook', 'dead', 'ls'], { env }),
    ])
    expect(dropped).toMatchObject({ code: 0, stdout: '0 dropped\n' })
    expect(listed).toMatchObject({ code: 0, stdout: 'no dead deliveries\n' })
  })
})
