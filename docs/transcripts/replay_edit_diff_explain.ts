/**
 * Writes replay_edit_diff_explain.md anew by running what it shows, on the largest real log of the
 * corpus: `node docs/transcripts/replay_edit_diff_explain.ts`.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '../..')

/** 79,710 lines of a Cowrie honeypot; not part of the repository. */
export const corpusLog = join(root, '../shared/corpus/honeypot-logs/tpot-0xsha/cowrie.json.9.gz')

export const transcriptFile = join(here, 'replay_edit_diff_explain.md')

const PIPELINE = 'logins.yaml'
const LOG = 'cowrie.json.9.gz'
const OLD = '&& data.service == "ssh"'
const NEW = '&& data.service in ["ssh", "telnet"]'

/** @returns the whole page, times of the run replaced by … */
export function transcript(): string {
  const dir = mkdtempSync(join(tmpdir(), 'decnet-transcript-'))
  try {
    symlinkSync(corpusLog, join(dir, LOG))
    copyFileSync(join(here, PIPELINE), join(dir, PIPELINE))
    return page((...args) => shown(dir, args), dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

type Run = (...args: string[]) => string

function page(run: Run, dir: string): string {
  const pipeline = readFileSync(join(dir, PIPELINE), 'utf8')
  const before = run('replay', PIPELINE, '--capture', LOG, '--sink', 'before')
  copyFileSync(join(dir, PIPELINE), join(dir, 'old.yaml'))
  writeFileSync(join(dir, PIPELINE), pipeline.replace(OLD, NEW))
  const after = run('replay', PIPELINE, '--capture', LOG, '--sink', 'after')
  const diff = run('diff', 'before', 'after', '--most', '2')
  const id = /event ([0-9a-f]{32})/.exec(diff)?.[1] ?? ''
  const filtered = run('explain-event', id, 'old.yaml', '--capture', LOG, '--most', '4')
  const passed = run('explain-event', id, PIPELINE, '--capture', LOG, '--most', '4')
  const against = run('replay', 'old.yaml', '--against', PIPELINE, '--capture', LOG, '--most', '0')
  return `# Replay, edit, diff, explain

Written by \`node docs/transcripts/replay_edit_diff_explain.ts\`, which runs every command below; a test of the long
suite does so again and compares. The log is a public one of a Cowrie honeypot: 79,710 lines.

## Something looks wrong

The pipeline of [${PIPELINE}](${PIPELINE}) keeps the logins. Some seem to be missing.

${before}
${block(
  'yaml',
  pipeline
    .split('\n')
    .filter((line) => line.includes('logins:'))
    .join('\n'),
)}
The condition asks for \`ssh\`, and Cowrie takes Telnet as well.

## Edit, replay again, compare

\`${OLD}\` becomes \`${NEW}\`.

${after}
The first node that made something else of the same input, the first event it did so with, and what came of it:

${diff}
## Look at that event

With the old condition (\`old.yaml\`):

${filtered}
With the new one it goes on, and a credential is made of it:

${passed}
## The same in one command

Nothing is kept; the exit code says whether anything changed (0 same, 1 different, 2 cannot tell).

${against}`
}

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`

function shown(dir: string, args: readonly string[]): string {
  const decnet = join(root, 'bin/decnet')
  const { stdout, stderr, status } = spawnSync(decnet, ['pipeline', ...args], {
    cwd: dir,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status === null || status > 1) throw new Error(`decnet ${args.join(' ')}: ${stderr}`)
  const output = stdout.replace(/ in [\d.]+ s, [\d,]+\/s/g, ' in … s, …/s').trimEnd()
  const code = status === 0 ? '' : `\n$ echo $?\n${status}`
  return block('console', `$ decnet pipeline ${args.join(' ')}\n${output}${code}`)
}

if (process.argv[1] === import.meta.filename) writeFileSync(transcriptFile, transcript())
