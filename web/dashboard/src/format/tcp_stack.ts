/** How the classes of a TCP stack are shown. @see spec/sniffer.md, TCP STACK panel */
import type { SequenceClass } from '../api/types.ts'

export interface ClassTag {
  readonly text: string
  readonly tone: 'neutral' | 'warn' | 'good'
  /** whether it is a sign of a tool or an old stack */
  readonly warns: boolean
}

const TONES = {
  random: 'neutral',
  incremental: 'warn',
  zero: 'good',
  constant: 'good',
} as const

/** @returns undefined where nothing is known: no tag then */
export function classTag(
  of: 'ISN' | 'IPID',
  found: SequenceClass | null | undefined,
): ClassTag | undefined {
  if (found === null || found === undefined || !Object.hasOwn(TONES, found)) return undefined
  const known = found as keyof typeof TONES
  return {
    text: `${of}:${known.toUpperCase()}`,
    tone: TONES[known],
    // Random is normal for an ISN, and for an IP-ID nothing else is a sign by itself.
    warns: of === 'ISN' && known !== 'random',
  }
}
