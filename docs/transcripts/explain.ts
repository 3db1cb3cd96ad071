/**
 * Writes explain.md anew by running what it shows, on the small log beside it:
 * `node docs/transcripts/explain.ts`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '../..')

/** 22 lines: five addresses that are one, a sixth who takes over from them, and a secret used twice. */
const nightLog = join(here, 'explain_night.txt')
export const explainPage = join(here, 'explain.md')

/** Writes the log with the characters that no file should hold whom a person may `cat`. */
export const writeNight = (file: string): void =>
  writeFileSync(
    file,
    readFileSync(nightLog, 'utf8').replaceAll('<ESC>', '\x1b').replaceAll('<RLO>', '\u202e'),
  )

/** What follows `decnet`; the database is `night.db`. */
export const replayNight = [
  ...['pipeline', 'replay', 'ingest', 'reuse-correlator', 'profiler', 'clusterer'],
  ...['campaign-clusterer', '--capture', 'night.log', '--sink', 'db=sqlite:night.db'],
]
export const explained = {
  identity: ['explain', 'identity', 'e7e0ed8a'],
  campaign: ['explain', 'campaign', '525a54ca'],
  reuse: ['explain', 'reuse', 'd5789ea1'],
  attacker: ['explain', 'attacker', '203.0.113.200'],
} as const

function page(run: (args: readonly string[]) => string): string {
  const { identity, campaign, reuse, attacker } = explained
  run(replayNight)
  return `# Explanations of a night

Written by \`node docs/transcripts/explain.ts\`, which runs every command below on [explain_night.txt](explain_night.txt) (with
the characters that \`<ESC>\` and \`<RLO>\` in it stand for); a test compares. How to read them is told in [explain.md](../explain.md).

\`\`\`console
$ decnet ${replayNight.join(' ')}
$ export DECNET_DB_URL=sqlite:night.db
\`\`\`

## Why are these five addresses one identity?

Asked for by an identity that has become part of another meanwhile.

${run(identity)}
## Why are two identities one campaign?

${run(campaign)}
## Why does a password count as used again?

${run(reuse)}
## Who is that?

The name he gave at his last login clears screens and turns text around; here it does not.

${run(attacker)}`
}

function writePage(): void {
  const dir = mkdtempSync(join(tmpdir(), 'decnet-transcript-'))
  const env = { ...process.env, DECNET_DB_URL: 'sqlite:night.db' }
  try {
    writeNight(join(dir, 'night.log'))
    const text = page((args) => {
      const { stdout, status } = spawnSync(join(root, 'bin/decnet'), args, {
        cwd: dir,
        env,
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`decnet ${args.join(' ')} ended with ${status}`)
      return `\`\`\`console\n$ decnet ${args.join(' ')}\n${stdout}\`\`\`\n`
    })
    writeFileSync(explainPage, text)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) writePage()
