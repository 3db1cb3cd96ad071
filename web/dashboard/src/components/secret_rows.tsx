/** A secret in all its forms, each of which can be copied. */
import { CopyButton } from './copy.tsx'
import { Untrusted } from './untrusted.tsx'

interface Secret {
  readonly principal: string | null
  readonly secret_printable: string | null
  readonly secret_b64: string | null
  readonly secret_sha256: string
}

export function SecretRows({ row }: { row: Secret }) {
  const forms = [
    ['Principal', row.principal],
    ['Printable', row.secret_printable],
    ['Base64', row.secret_b64],
    ['SHA-256', row.secret_sha256],
  ] as const
  return (
    <section aria-label="Secret">
      {forms.map(([name, value]) => (
        <div key={name} className="secret">
          <span className="faint">{name}</span>
          <span className="value">
            {value === null ? (
              <span className="faint">none</span>
            ) : (
              <Untrusted text={value} most={400} />
            )}
          </span>
          {value === null ? <span /> : <CopyButton text={value} name={name} />}
        </div>
      ))}
    </section>
  )
}
