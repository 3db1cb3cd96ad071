/** Addresses that were seen. */
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { attackersQuery } from '../api/queries.ts'
import {
  ADDRESS,
  attackerPath,
  BEHAVIOR,
  COUNTRY,
  DECKIES,
  EVENTS,
  FIRST_SEEN,
  IDENTITY,
  LAST_SEEN,
  SERVICES,
} from '../components/attacker_cells.tsx'
import { ListTable } from '../components/list_table.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging, useParam } from '../components/pager.tsx'
import { SearchField } from '../components/search_field.tsx'
import { Empty } from '../components/state.tsx'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 50
const SORTS = ['recent', 'active', 'traversals']
const COLUMNS = [
  ADDRESS,
  COUNTRY,
  BEHAVIOR,
  SERVICES,
  IDENTITY,
  DECKIES,
  EVENTS,
  FIRST_SEEN,
  LAST_SEEN,
]

export function AttackersPage() {
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const [search, setSearch] = useParam('search')
  const [service, setService] = useParam('service')
  const [sort, setSort] = useParam('sort')
  const sort_by = SORTS.includes(sort) ? sort : 'recent'
  const { limit, offset } = paging
  const list = useQuery(attackersQuery({ limit, offset, search, service, sort_by }))
  const refetch = useRefetch([['list', '/attackers']])
  // Later pages would shift under the reader.
  const status = useStream('attackers', () => {
    if (paging.page === 1) refetch()
  })
  const isFiltered = search !== '' || service !== ''
  return (
    <>
      <PageHead title="Attackers" name="Attackers" actions={<LiveStatus status={status} />} />
      <div className="toolbar">
        <SearchField label="Part of an address" value={search} onChange={setSearch} />
        <SearchField label="Service" value={service} onChange={setService} />
        <Pager name="attackers" total={list.data?.total} paging={paging} go={go} />
      </div>
      <ListTable
        name="Attackers"
        columns={COLUMNS}
        keyOf={({ uuid }) => uuid}
        limit={LIMIT}
        open={({ uuid }) => navigate(attackerPath(uuid))}
        sortedBy={sort_by}
        onSort={(by) => setSort(by === 'recent' ? '' : by)}
        empty={
          isFiltered ? (
            <Empty title="No address matches">
              <button type="button" className="button" onClick={() => navigate('/attackers')}>
                Clear the filters
              </button>
            </Empty>
          ) : (
            <Empty title="Nobody has come yet">
              Addresses appear once the pipelines <code>ingest</code> and <code>profiler</code> run
              and a decky was touched.
            </Empty>
          )
        }
        list={list}
      />
    </>
  )
}
