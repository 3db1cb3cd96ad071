/** What an attacker's TCP stack gives away. */
import { TriangleAlert } from 'lucide-react'
import type { Behavior, TcpFingerprint } from '../api/types.ts'
import { classTag } from '../format/tcp_stack.ts'
import { Badge } from './badge.tsx'
import { Panel } from './panel.tsx'
import { Untrusted } from './untrusted.tsx'

export function TcpStack({ behavior }: { behavior: Behavior }) {
  const { retransmit_count } = behavior
  const tcp: TcpFingerprint = behavior.tcp_fingerprint
  if (Object.keys(tcp).length === 0) {
    return (
      <Panel title="TCP stack">
        <p className="faint">No SYN of this address was seen by the sniffer.</p>
      </Panel>
    )
  }
  const figures = [
    ['WIN', tcp.window],
    ['WSCALE', tcp.wscale],
    ['MSS', tcp.mss],
    ['DSCP', tcp.dscp],
    ['ECN', tcp.ecn],
    ['RETRANSMITS', retransmit_count],
  ] as const
  const classes = [classTag('IPID', tcp.ipid_class), classTag('ISN', tcp.isn_class)]
  return (
    <Panel title="TCP stack">
      <dl className="tcp">
        {figures.map(([name, value]) => (
          <div
            key={name}
            className={name === 'RETRANSMITS' && retransmit_count > 0 ? 'warn' : undefined}
          >
            <dt>{name}</dt>
            <dd>{value ?? '—'}</dd>
          </div>
        ))}
      </dl>
      <div className="chips">
        {tcp.has_sack && <Badge>SACK</Badge>}
        {tcp.has_timestamps && <Badge>TS</Badge>}
        {classes.map(
          (tag) =>
            tag && (
              <Badge key={tag.text} tone={tag.tone}>
                {tag.warns && <TriangleAlert size={11} aria-label="unusual" />}
                {tag.text}
              </Badge>
            ),
        )}
      </div>
      {tcp.options_sig && (
        <p>
          <span className="faint">OPTS</span>{' '}
          <code>
            <Untrusted text={tcp.options_sig} most={120} />
          </code>
        </p>
      )}
    </Panel>
  )
}
