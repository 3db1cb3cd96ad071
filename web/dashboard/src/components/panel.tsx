/** A part of a page with a heading of its own. */
import { type ReactNode, useId } from 'react'

interface PanelProps {
  readonly title: ReactNode
  /** at the right of the heading */
  readonly aside?: ReactNode
  readonly children: ReactNode
  /** nothing between the edge and what is inside: for tables and graphs */
  readonly flush?: boolean
  readonly className?: string
}

export function Panel({ title, aside, children, flush = false, className = '' }: PanelProps) {
  const id = useId()
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div className="panel-aside">{aside}</div>}
      </header>
      <div className={flush ? 'panel-flush' : 'panel-body'}>{children}</div>
    </section>
  )
}
