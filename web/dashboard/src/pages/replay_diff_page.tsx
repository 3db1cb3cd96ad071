/** Two replays held against each other: the same, or where they part and what came of it. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { diffQuery, replayQuery } from '../api/replay_queries.ts'
import type { ChangeKind, ComparedNode, PartedEvent, PipelineDiff } from '../api/replay_types.ts'
import { Badge, Status } from '../components/badge.tsx'
import { Hash } from '../components/copy.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Facts } from '../components/facts.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { grouped } from '../format/number.ts'
import { ChangesDrawer } from '../replay/changes_drawer.tsx'
import { FieldChanges } from '../replay/field_changes.tsx'

export function ReplayDiffPage() {
  const { id = '', other = '' } = useParams()
  const query = useQuery(diffQuery(id, other))
  const { data } = query
  return (
    <>
      <PageHead
        title="Two replays"
        name="Two replays"
        actions={
          <Link className="button" to="/replay">
            All replays
          </Link>
        }
      />
      <div className="stack">
        <div className="columns">
          <Side name="Before" id={id} />
          <Side name="After" id={other} />
        </div>
        {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
        {!data && !query.error && <Skeleton lines={12} />}
        {data && !data.different && (
          <Panel title="Outcome">
            <p className="verdict" role="status">
              <Status tone="good">THE SAME</Status> Every node handed on the same events, and every
              sink was given the same.
            </p>
          </Panel>
        )}
        {data?.different &&
          data.pipelines.map((one) => <Compared key={one.pipeline} a={id} b={other} diff={one} />)}
        {data && data.only_a.length + data.only_b.length > 0 && (
          <Panel title="Pipelines that only one of them has">
            <Facts
              facts={[
                ['Before', data.only_a.join(', ') || null],
                ['After', data.only_b.join(', ') || null],
              ]}
            />
          </Panel>
        )}
      </div>
    </>
  )
}

function Side({ name, id }: { name: string; id: string }) {
  const { data, error } = useQuery(replayQuery(id))
  return (
    <Panel title={name}>
      <Facts
        facts={[
          [
            'Capture',
            data ? (
              <Link key="capture" to={`/replay/${data.id}`}>
                <Untrusted text={data.capture} most={60} />
              </Link>
            ) : error ? (
              'there is no such replay'
            ) : (
              '…'
            ),
          ],
          ['Pipelines', data?.pipelines.join(', ') ?? '…'],
          ['Started', data ? <When key="started" at={data.started_at} /> : '…'],
          ['Events read', data ? grouped(data.read) : '…'],
        ]}
      />
    </Panel>
  )
}

const VERDICTS: Readonly<Record<string, string>> = {
  parts: 'made something else of the same input',
  follows: 'was given something else',
  rewired: 'reads something else, and hands on something else',
  only_a: 'is only in the one before',
  only_b: 'is only in the one after',
}

function Compared({ a, b, diff }: { a: string; b: string; diff: PipelineDiff }) {
  const { pipeline, pipeline_b, different, parting, nodes, sinks } = diff
  const [shown, setShown] = useState<{ sink: string; kind: ChangeKind }>()
  const name = pipeline_b === null ? pipeline : `${pipeline} and ${pipeline_b}`
  if (!different) {
    return (
      <Panel title={name}>
        <p role="status">
          <Status tone="good">THE SAME</Status>
        </p>
      </Panel>
    )
  }
  return (
    <>
      <Panel title={`${name}: where they first part`}>
        {parting ? (
          <>
            <p className="verdict" role="status">
              <strong>{parting.id}</strong> <span className="faint">{parting.type}</span>{' '}
              {verdictText(parting)}
            </p>
            {parting.event ? (
              <Parted event={parting.event} isSource={parting.section === 'sources'} a={a} b={b} />
            ) : (
              <p className="soft">It handed on the same events, in another order.</p>
            )}
          </>
        ) : (
          <p className="soft">No node differs, but what sinks were given does.</p>
        )}
      </Panel>
      <div className="columns">
        <Panel title={`${name}: nodes that differ`} flush>
          <DataTable
            name={`Nodes of ${pipeline} that differ`}
            columns={NODES}
            rows={nodes}
            keyOf={({ id }) => id}
            empty={<Empty title="None" />}
          />
        </Panel>
        <Panel title={`${name}: what sinks were given`} flush>
          <DataTable
            name={`Sinks of ${pipeline} that differ`}
            columns={[
              {
                id: 'sink',
                head: 'Sink',
                width: '9rem',
                cell: ({ sink, reordered }) => (
                  <>
                    <strong>{sink.replace('_', ' ')}</strong>{' '}
                    {reordered && <Badge>in another order</Badge>}
                  </>
                ),
              },
              ...KINDS.map(
                (kind): Column<PipelineDiff['sinks'][number]> => ({
                  id: kind,
                  head: kind[0]?.toUpperCase() + kind.slice(1),
                  width: '5.5rem',
                  align: 'end',
                  cell: ({ sink, [kind]: count }) =>
                    count === 0 ? (
                      '0'
                    ) : (
                      <button
                        type="button"
                        className="link-button"
                        aria-label={`${grouped(count)} ${kind} in ${sink}`}
                        onClick={() => setShown({ sink, kind })}
                      >
                        {grouped(count)}
                      </button>
                    ),
                }),
              ),
              {
                id: 'fields',
                head: 'Fields',
                cell: ({ fields }) => (
                  <span className="mono">
                    <Untrusted text={fields.map(({ path }) => path).join(', ')} most={160} />
                  </span>
                ),
              },
            ]}
            rows={sinks}
            keyOf={({ sink }) => sink}
            empty={<Empty title="Every sink was given the same" />}
          />
        </Panel>
      </div>
      {shown && (
        <ChangesDrawer
          a={a}
          b={b}
          pipeline={pipeline}
          {...shown}
          close={() => setShown(undefined)}
        />
      )}
    </>
  )
}

const KINDS: readonly ChangeKind[] = ['changed', 'added', 'removed']

const NODES: readonly Column<ComparedNode>[] = [
  { id: 'node', head: 'Node', width: '8rem', cell: ({ id }) => <strong>{id}</strong> },
  {
    id: 'verdict',
    head: 'Verdict',
    cell: (node) => <span className="soft">{verdictText(node)}</span>,
  },
  {
    id: 'ports',
    head: 'Events, before and after',
    width: '13rem',
    cell: ({ ports }) =>
      ports.map(({ port, a, b }) => `${port} ${grouped(a)} → ${grouped(b)}`).join(', '),
  },
]

const verdictText = ({ section, verdict }: ComparedNode): string =>
  section === 'sources' && verdict === 'parts'
    ? 'read something else'
    : (VERDICTS[verdict] ?? verdict)

const portsText = (ports: readonly string[]): string =>
  ports.length === 0
    ? 'not handed on'
    : ports.map((port) => (port === '' ? 'handed on' : `left by ${port}`)).join(', ')

interface PartedProps {
  readonly event: PartedEvent
  /** whether they part at a source, which makes nothing */
  readonly isSource: boolean
  readonly a: string
  readonly b: string
}

function Parted({ event, isSource, a, b }: PartedProps) {
  const at = `?at=${Math.ceil(event.time) + 1}`
  const { id, time, node, was_read, ports_a, ports_b, error_a, error_b } = event
  return (
    <>
      <Facts
        facts={[
          ['Event', <Hash key="id" text={id} name="id" />],
          ['Time', <When key="time" at={time} both />],
          ['At', `${node}, which ${was_read || isSource ? 'read' : 'made'} it`],
          ['Before', <Untrusted key="a" text={error_a ?? portsText(ports_a)} most={200} />],
          ['After', <Untrusted key="b" text={error_b ?? portsText(ports_b)} most={200} />],
        ]}
      />
      {event.fields.length > 0 && <FieldChanges fields={event.fields} count={event.field_count} />}
      <p>
        This moment <Link to={`/replay/${a}${at}`}>in the one before</Link>, and{' '}
        <Link to={`/replay/${b}${at}`}>in the one after</Link>
      </p>
    </>
  )
}
