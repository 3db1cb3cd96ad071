/** Fields of an event, before and after. */
import type { FieldChange } from '../api/replay_types.ts'
import { Untrusted } from '../components/untrusted.tsx'
import { counted } from '../format/number.ts'

interface FieldChangesProps {
  readonly fields: readonly FieldChange[]
  /** all there are */
  readonly count: number
}

export function FieldChanges({ fields, count }: FieldChangesProps) {
  return (
    <div>
      {fields.map(({ path, before, after }) => (
        <div key={path} className="change">
          <span className="mono">
            <Untrusted text={path} most={120} />
          </span>
          <Value text={before} side="before" />
          <Value text={after} side="after" />
        </div>
      ))}
      {count > fields.length && (
        <p className="faint">and {counted(count - fields.length, 'more field')}</p>
      )}
    </div>
  )
}

function Value({ text, side }: { text: string | null; side: 'before' | 'after' }) {
  return (
    <span className={`mono ${side}`}>
      <span className="visually-hidden">{side}: </span>
      {text === null ? <span className="faint">—</span> : <Untrusted text={text} most={300} />}
    </span>
  )
}
