/** What an address left behind: sessions, files, mail, and whom it wanted to mail. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { attackerLogsQuery, mailTargetsQuery } from '../api/queries.ts'
import type { Log } from '../api/types.ts'
import { useMe } from '../app/session.tsx'
import { asText, readFields } from '../format/json_texts.ts'
import { grouped } from '../format/number.ts'
import { LogDrawer } from './log_drawer.tsx'
import { Panel } from './panel.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

export function AttackerFiles({ uuid }: { uuid: string }) {
  const me = useMe()
  const [opened, setOpened] = useState<Log>()
  return (
    <div className="columns">
      <LogList
        uuid={uuid}
        what="transcripts"
        title="Sessions"
        none="No session was recorded."
        open={setOpened}
      />
      <LogList
        uuid={uuid}
        what="artifacts"
        title="Captured files"
        none="No file was captured."
        open={setOpened}
      />
      {me.role === 'admin' ? (
        <LogList uuid={uuid} what="mail" title="Mail" none="It sent no mail." open={setOpened} />
      ) : (
        <Panel title="Mail">
          <p className="faint">Mail is for admins only.</p>
        </Panel>
      )}
      <MailTargets uuid={uuid} />
      {opened && <LogDrawer log={opened} close={() => setOpened(undefined)} />}
    </div>
  )
}

/** Rows that are shown before more are asked for. */
const FIRST = 6

interface LogListProps {
  readonly uuid: string
  readonly what: 'transcripts' | 'artifacts' | 'mail'
  readonly title: string
  readonly none: string
  readonly open: (log: Log) => void
}

function LogList({ uuid, what, title, none, open }: LogListProps) {
  const [all, setAll] = useState(false)
  const { data } = useQuery(attackerLogsQuery(uuid, what))
  const logs = data?.data ?? []
  return (
    <Panel title={title} aside={data && grouped(data.total)}>
      {data && logs.length === 0 && <p className="faint">{none}</p>}
      <ul className="ranked">
        {logs.slice(0, all ? logs.length : FIRST).map((log) => (
          <li key={log.id}>
            <button
              type="button"
              className="link-button name name-button"
              onClick={() => open(log)}
            >
              <Untrusted text={summary(log)} most={120} />
            </button>
            <When at={log.timestamp} />
          </li>
        ))}
      </ul>
      {logs.length > FIRST && (
        <button type="button" className="link-button" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${grouped(logs.length)}`}
        </button>
      )}
    </Panel>
  )
}

const TOLD = [
  'filename',
  'file',
  'path',
  'sha256',
  'subject',
  'mail_from',
  'duration',
  'session_id',
]

/** What of a log says most in a line. */
function summary(log: Log): string {
  const fields = new Map(readFields(log.fields))
  const told = TOLD.flatMap((name) => (fields.has(name) ? [asText(fields.get(name))] : []))
  return [log.decky, log.service, ...told.slice(0, 3)].join(' · ')
}

function MailTargets({ uuid }: { uuid: string }) {
  const { data } = useQuery(mailTargetsQuery(uuid))
  if (!data || data.data.length === 0) return null
  return (
    <Panel title="Wanted to mail" aside={grouped(data.total)}>
      <ul className="ranked">
        {data.data.map(({ domain, last_seen }) => (
          <li key={domain}>
            <span className="name">
              <Untrusted text={domain} most={120} />
            </span>
            <When at={last_seen} />
          </li>
        ))}
      </ul>
    </Panel>
  )
}
