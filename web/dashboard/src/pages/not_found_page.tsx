/** For addresses that name no page. */
import { Link } from 'react-router'
import { PageHead } from '../components/page_head.tsx'
import { Empty } from '../components/state.tsx'

export function NotFoundPage() {
  return (
    <>
      <PageHead title="Not found" name="Not found" />
      <Empty title="There is no page at this address">
        <Link to="/">Go to the overview</Link>
      </Empty>
    </>
  )
}
