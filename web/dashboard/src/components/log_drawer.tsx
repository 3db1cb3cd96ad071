/** All of one log. */
import { Link } from 'react-router'
import type { Log } from '../api/types.ts'
import { asText, readFields } from '../format/json_texts.ts'
import { CopyButton } from './copy.tsx'
import { Drawer } from './drawer.tsx'
import { Facts } from './facts.tsx'
import { Untrusted, UntrustedBlock } from './untrusted.tsx'
import { When } from './when.tsx'

export function LogDrawer({ log, close }: { log: Log; close: () => void }) {
  const fields = readFields(log.fields)
  return (
    <Drawer
      title={<Untrusted text={`${log.service} · ${log.event_type}`} most={80} />}
      close={close}
    >
      <Facts
        facts={[
          ['Time', <When key="time" at={log.timestamp} both />],
          ['Decky', <Untrusted key="decky" text={log.decky} most={80} />],
          [
            'Attacker',
            <Link key="ip" to={`/attackers?search=${encodeURIComponent(log.attacker_ip)}`}>
              <Untrusted text={log.attacker_ip} most={60} />
            </Link>,
          ],
          ['Id', log.id],
          ...(log.trace_id ? ([['Trace', log.trace_id]] as const) : []),
        ]}
      />
      {log.msg && (
        <section>
          <h3>Message</h3>
          <UntrustedBlock text={log.msg} />
        </section>
      )}
      {fields.length > 0 && (
        <section>
          <h3>Fields</h3>
          {fields.map(([name, value]) => (
            <div key={name} className="secret">
              <span className="faint">
                <Untrusted text={name} most={40} />
              </span>
              <span className="value">
                <Untrusted text={asText(value)} most={600} />
              </span>
              <CopyButton text={asText(value)} name="value" />
            </div>
          ))}
        </section>
      )}
      <section>
        <h3>
          As it was sent <CopyButton text={log.raw_line} name="line" />
        </h3>
        <UntrustedBlock text={log.raw_line} most={2000} />
      </section>
    </Drawer>
  )
}
