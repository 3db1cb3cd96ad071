/** Says that what was asked for has become part of another. */
import { ArrowRight } from 'lucide-react'
import { Link } from 'react-router'
import { Badge } from './badge.tsx'
import { Hash } from './copy.tsx'

interface MergedNoteProps {
  readonly asked: string
  readonly row: { readonly uuid: string; readonly merged_into_uuid: string | null }
  readonly pathOf: (uuid: string) => string
  readonly what: 'identity' | 'campaign'
}

export function MergedNote({ asked, row, pathOf, what }: MergedNoteProps) {
  // A chain that is too long to follow ends in one that is merged itself.
  const into = asked === row.uuid ? row.merged_into_uuid : row.uuid
  if (into === null) return null
  return (
    <p className="banner banner-accent">
      <Badge tone="accent">MERGED</Badge>
      <Hash text={asked} name={what} /> <ArrowRight size={14} aria-label="into" />
      <Link to={pathOf(into)} className="mono">
        {into.slice(0, 8)}
      </Link>
      <span className="soft">This page shows the {what} that it has become part of.</span>
    </p>
  )
}
