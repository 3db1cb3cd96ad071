/** The head of a page: its name, what it is about, and how live it is. */
import { type ReactNode, useEffect } from 'react'

interface PageHeadProps {
  readonly title: ReactNode
  /** of the window; where the title is no text */
  readonly name: string
  readonly badges?: ReactNode
  readonly actions?: ReactNode
}

export function PageHead({ title, name, badges, actions }: PageHeadProps) {
  useEffect(() => {
    document.title = `${name} · DECNET`
  }, [name])
  return (
    <header className="page-head">
      <h1 tabIndex={-1} id="page-title">
        {title}
      </h1>
      {badges !== undefined && <div className="badges">{badges}</div>}
      <div className="page-actions">{actions}</div>
    </header>
  )
}
