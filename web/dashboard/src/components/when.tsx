/** A time, as the reader likes times: how long ago, or on the clock, and the other on pointing. */
import { useNow } from '../app/now.ts'
import { useTimes } from '../app/remembered.ts'
import { absolute, readTime, relative } from '../format/time.ts'

interface WhenProps {
  /** ISO 8601, or ms since the Unix epoch */
  readonly at: string | number | null | undefined
  /** both forms, one beside the other */
  readonly both?: boolean
}

export function When({ at, both = false }: WhenProps) {
  const now = useNow()
  const times = useTimes()
  const ms = typeof at === 'number' ? at : readTime(at)
  if (ms === undefined) return <span className="faint">—</span>
  const clock = absolute(ms)
  const ago = relative(ms, now)
  const dateTime = clock === '—' ? undefined : `${clock.replace(' ', 'T')}Z`
  if (both) {
    return (
      <time dateTime={dateTime} className="when">
        {clock} <span className="faint">UTC · {ago}</span>
      </time>
    )
  }
  const [shown, other] = times === 'relative' ? [ago, `${clock} UTC`] : [clock, ago]
  return (
    <time dateTime={dateTime} title={other} className="when">
      {shown}
    </time>
  )
}
