/** Events of one sink that are not the same in two replays. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { changesQuery } from '../api/replay_queries.ts'
import type { ChangedEvent, ChangeKind } from '../api/replay_types.ts'
import { Hash } from '../components/copy.tsx'
import { Drawer } from '../components/drawer.tsx'
import { Pager } from '../components/pager.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { counted, grouped } from '../format/number.ts'
import { readPaging } from '../format/paging.ts'
import { FieldChanges } from './field_changes.tsx'

interface ChangesDrawerProps {
  readonly a: string
  readonly b: string
  readonly pipeline: string
  readonly sink: string
  readonly kind: ChangeKind
  readonly close: () => void
}

const LIMIT = 20

export function ChangesDrawer({ a, b, pipeline, sink, kind, close }: ChangesDrawerProps) {
  const [page, setPage] = useState(1)
  const paging = readPaging(String(page), LIMIT)
  const { limit, offset } = paging
  const query = useQuery(changesQuery(a, b, { pipeline, sink, kind, limit, offset }))
  const { data } = query
  return (
    <Drawer title={`${kind} in ${sink.replace('_', ' ')}`} close={close}>
      {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
      {!data && !query.error && <Skeleton lines={10} />}
      {data && (
        <>
          <div className="toolbar">
            {data.counted > data.total && (
              <span className="soft">
                {grouped(data.counted)} in all, of which the first are listed
              </span>
            )}
            <Pager name="differences" total={data.total} paging={paging} go={setPage} />
          </div>
          <ol className="way">
            {data.data.map((event, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: one event may be given twice
              <li key={index}>
                <Changed event={event} />
              </li>
            ))}
          </ol>
          {data.data.length === 0 && (
            <Empty title={`${counted(data.counted, 'event')}, none listed`} />
          )}
        </>
      )}
    </Drawer>
  )
}

function Changed({ event }: { event: ChangedEvent }) {
  return (
    <>
      <div className="way-head">
        <Untrusted text={event.topic} most={80} />
        <When at={event.time} both />
        <Hash text={event.id} name="id" />
      </div>
      {event.fields.length > 0 && <FieldChanges fields={event.fields} count={event.field_count} />}
    </>
  )
}
