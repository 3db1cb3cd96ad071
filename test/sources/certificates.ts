/** Certificates for tests, made by the `openssl` command: a CA, a server, a client, a stranger. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

/** Writes `<name>.pem` and `<name>.key` for ca, server, client and stranger into `folder`. */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const alone = (name: string, subject: string) =>
    openssl(
      ...['req', '-x509', ...key, '-days', '2', '-subj', subject],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
    )
  alone('ca', '/CN=test CA')
  alone('stranger', '/CN=stranger')
  writeFileSync(join(folder, 'names.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=agent-7'],
    ['two_names', '/CN=agent-7/CN=agent-8'],
  ] as const) {
    openssl(...['req', ...key, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`])
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-days', '2', '-extfile', 'names.ext', '-out', `${name}.pem`],
    )
  }
}
