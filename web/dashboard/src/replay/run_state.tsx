/** How it stands with a replay. */
import type { Replay } from '../api/replay_types.ts'
import { Status, type Tone } from '../components/badge.tsx'

const TONES: Readonly<Record<Replay['state'], Tone>> = {
  running: 'accent',
  done: 'good',
  failed: 'bad',
  cancelled: 'neutral',
  interrupted: 'warn',
}

export function RunState({ run }: { run: Replay }) {
  const share = run.state === 'running' ? ` ${Math.floor(run.progress * 100)}%` : ''
  return (
    <Status tone={TONES[run.state]}>
      {run.state.toUpperCase()}
      {share}
    </Status>
  )
}
