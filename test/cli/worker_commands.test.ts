import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decnet, root, scratchFolder } from './decnet.ts'

let dir: string
beforeEach(() => {
  dir = scratchFolder()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const env = () => ({
  DECNET_DB_URL: `sqlite:${join(dir, 'd.db')}`,
  DECNET_BUS_TYPE: 'memory',
  DECNET_LOG_LEVEL: 'info',
})
const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 50 })

/** Processes that were started with a word of their own, as the kernel lists them. */
const processesWith = (word: string) =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word)
    } catch {
      // It has ended since it was listed.
      return false
    }
  })

describe('a command named after a worker', () => {
  it('runs its pipeline until it is told to stop', async () => {
    const args = ['clusterer', '--poll-interval', '0.5', '--state-dir', join(dir, 'state')]
    const child = spawn(join(root, 'bin/decnet'), args, { env: { ...process.env, ...env() } })
    const ended = once(child, 'exit')
    try {
      await soon(() => expect(existsSync(join(dir, 'd.db'))).toBe(true))
    } finally {
      child.kill('SIGTERM')
    }
    expect(await ended).toEqual([0, null])
  })

  it('goes on in the background where it is told to', async () => {
    const state = join(dir, 'state')
    const args = ['campaign-clusterer', '--state-dir', state]
    expect(decnet([...args, '-d'], { env: env() })).toEqual({ code: 0, stdout: '', stderr: '' })
    await soon(() => expect(existsSync(join(dir, 'd.db'))).toBe(true))
    const [pid] = processesWith(state)
    expect(pid).toBeDefined()
    process.kill(Number(pid), 'SIGTERM')
    await soon(() => expect(processesWith(state)).toEqual([]))
  })

  it.each([
    [['clusterer', '--poll-interval', '0']],
    [['campaign-clusterer', '-i', 'soon']],
    [['profiler', '--interval', '-1']],
    [['reuse-correlate', '-m', '1']],
    [['reuse-correlate', '-i', '0']],
  ])('takes no %j', (args) => {
    expect(decnet(args, { env: env() })).toMatchObject({ code: 64, stdout: '' })
  })

  it.each([
    ['clusterer', 'DECNET_CLUSTERER_TYPE'],
    ['campaign-clusterer', 'DECNET_CAMPAIGN_CLUSTERER_TYPE'],
  ])('%s names the methods there are where %s names none of them', (command, variable) => {
    const { code, stderr } = decnet([command], { env: { ...env(), [variable]: 'magic' } })
    expect(code).toBe(78)
    expect(stderr).toContain('there is connected_components')
    const spelled = { env: { ...env(), [variable]: ' Connected_Components ' } }
    expect(decnet(['pipeline', 'validate', `pipelines/${command}.yaml`], spelled).code).toBe(0)
  })

  it.each(['profiler', 'reuse-correlate', 'clusterer', 'campaign-clusterer'])(
    '%s is unknown to an agent',
    (command) => {
      const { code, stderr } = decnet([command], { env: { ...env(), DECNET_MODE: 'agent' } })
      expect(code).toBe(64)
      expect(stderr).toContain('Command not found')
    },
  )
})
