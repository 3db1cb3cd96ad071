/** What tools and hosts are known by. */
import { type Fingerprint, readFingerprints } from '../format/fingerprints.ts'
import { CopyButton } from './copy.tsx'
import { Panel } from './panel.tsx'
import { Untrusted } from './untrusted.tsx'

export function FingerprintPanel({ fingerprints }: { fingerprints: readonly unknown[] }) {
  const all = readFingerprints(fingerprints)
  const groups = [
    ['It showed by itself', all.filter(({ isActive }) => !isActive)],
    ['We asked for', all.filter(({ isActive }) => isActive)],
  ] as const
  return (
    <Panel title="Fingerprints">
      {all.length === 0 && <p className="faint">None is known.</p>}
      {groups.map(
        ([name, group]) =>
          group.length > 0 && (
            <div key={name}>
              <h3>{name}</h3>
              <ul className="ranked">
                {group.map((one) => (
                  <Row key={`${one.kind} ${one.value}`} fingerprint={one} />
                ))}
              </ul>
            </div>
          ),
      )}
    </Panel>
  )
}

function Row({ fingerprint }: { fingerprint: Fingerprint }) {
  const { kind, value, rest } = fingerprint
  return (
    <li>
      <span className="name">
        <span className="chip-kind">
          <Untrusted text={kind} most={24} />
        </span>{' '}
        <span className="mono">
          <Untrusted text={value} most={64} />
        </span>{' '}
        <span className="faint">
          <Untrusted text={rest.map(([name, text]) => `${name} ${text}`).join(' · ')} most={100} />
        </span>
      </span>
      <CopyButton text={value} name={kind} />
    </li>
  )
}
