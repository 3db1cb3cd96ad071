/** Columns that tables of attempts and of reused secrets have in common. */
import { grouped } from '../format/number.ts'
import type { Column } from './data_table.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

interface Tried {
  readonly principal: string | null
  readonly secret_printable: string | null
  readonly secret_sha256: string
  readonly attempt_count: number
  readonly last_seen: string
}

export const principalColumn = (width: string): Column<Tried> => ({
  id: 'principal',
  head: 'Principal',
  width,
  cell: ({ principal }) =>
    principal === null ? (
      <span className="faint">none</span>
    ) : (
      <Untrusted text={principal} most={60} />
    ),
})

export const SECRET: Column<Tried> = {
  id: 'secret',
  head: 'Secret',
  cell: ({ secret_printable, secret_sha256 }) => (
    <span className="mono">
      {secret_printable === null ? (
        <span className="faint">{secret_sha256.slice(0, 16)}…</span>
      ) : (
        <Untrusted text={secret_printable} most={80} />
      )}
    </span>
  ),
}

export const ATTEMPTS: Column<Tried> = {
  id: 'attempts',
  head: 'Attempts',
  width: '5.5rem',
  align: 'end',
  cell: ({ attempt_count }) => grouped(attempt_count),
}

export const LAST_TRIED: Column<Tried> = {
  id: 'last',
  head: 'Last seen',
  width: '9.5rem',
  align: 'end',
  cell: ({ last_seen }) => <When at={last_seen} />,
}
