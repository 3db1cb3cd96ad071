/** Two hosts as a honeypot has them: one with real services, one with the tools of those who attack. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Host, type TwoHosts, twoHosts } from './two_hosts.ts'

/** Command and Debian package. */
const PARTS = [
  ['tcpdump', 'tcpdump'],
  ['nmap', 'nmap'],
  ['masscan', 'masscan'],
  ['openssl', 'openssl'],
  ['ssh', 'openssh-client'],
  ['sshd', 'openssh-server'],
  ['curl', 'curl'],
] as const

/** Servers are kept where only root's PATH looks. */
const PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter)
const env = { ...process.env, PATH, LC_ALL: 'C' }

/**
 * Whether the parts are installed; says which are not.
 * @throws {Error} on CI, where none must be missing
 */
export function hasDecoyParts(): boolean {
  const missing = PARTS.filter(
    ([command]) => spawnSync('sh', ['-c', `command -v ${command}`], { env }).status !== 0,
  ).map(([, name]) => name)
  if (missing.length === 0) return true
  const packages = missing.join(' ')
  if (process.env.CI === 'true') throw new Error(`not installed: apt install ${packages}`)
  process.stderr.write(`tests of the live sniffer are skipped: ${packages} not installed\n`)
  return false
}

/** Ports of the services. */
export const SERVICE = { ssh: 22, http: 80, tls12: 8443, tls13: 9443 } as const
/** What the attacker's own TLS 1.2 server listens on: a decky may call home. */
export const HOME_PORT = 4443

export interface DecoyHosts {
  readonly decky: Host
  readonly attacker: Host
  /** Runs a program to its end; its stdin is empty unless `input` says otherwise. */
  run(host: Host, words: readonly string[], input?: string): { code: number | null; text: string }
  /** Runs one until `stop`, or the end of all. */
  start(host: Host, words: readonly string[]): ChildProcess
  /** One more address for the attacker, as if another host were there. */
  addAddress(address: string): void
  close(): Promise<void>
}

/** @param folder for keys; what is made there belongs to the caller */
export async function decoyHosts(folder: string): Promise<DecoyHosts> {
  const network: TwoHosts = twoHosts()
  const [attacker, decky] = network.hosts
  const children: ChildProcess[] = []
  const hosts: DecoyHosts = {
    decky,
    attacker,
    run(host, words, input = '') {
      const [command = '', ...args] = [...host.within, ...words]
      const limits = { timeout: 60_000, encoding: 'utf8', env } as const
      const { status, stdout, stderr } = spawnSync(command, args, { ...limits, input })
      return { code: status, text: `${stdout}${stderr}` }
    },
    start(host, words) {
      const [command = '', ...args] = [...host.within, ...words]
      const child = spawn(command, args, { stdio: 'ignore', env })
      children.push(child)
      return child
    },
    addAddress(address) {
      const words = ['ip', 'address', 'add', `${address}/24`, 'dev', 'cable']
      const { code, text } = hosts.run(attacker, words)
      if (code !== 0) throw new Error(`${words.join(' ')}: ${text}`)
    },
    async close() {
      await Promise.all(children.map(stopped))
      network.remove()
    },
  }
  try {
    await startServices(hosts, folder)
  } catch (error) {
    await hosts.close()
    throw error
  }
  return hosts
}

/** Ends a program and waits until it has. */
async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

const WEB_SERVER = `require('http').createServer((_, answer) => answer.end('hello')).listen(80)`

async function startServices(hosts: DecoyHosts, folder: string): Promise<void> {
  const { decky, attacker, run, start } = hosts
  const file = (name: string) => join(folder, name)
  const certificate = (name: string) => ['-cert', file(`${name}.pem`), '-key', file(`${name}.key`)]
  for (const name of ['decky.example', 'home.example']) {
    const request = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1']
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
    const into = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
    must(run(decky, [...request, ...names, ...into]))
  }
  must(run(decky, ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')]))
  // Where sshd keeps its unprivileged half; a running service would have made it.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const { text: sshd } = run(decky, ['sh', '-c', 'command -v sshd'])
  const quiet = ['-o', 'UsePAM=no', '-o', `PidFile=${file('sshd.pid')}`]
  start(decky, [sshd.trim(), '-D', '-f', '/dev/null', '-h', file('host_key'), ...quiet])
  start(decky, [process.execPath, '-e', WEB_SERVER])
  const tls = (host: Host, port: number, name: string, version: string) =>
    start(host, [
      ...['openssl', 's_server', '-quiet', '-www', '-accept', String(port), version],
      ...certificate(name),
    ])
  tls(decky, SERVICE.tls12, 'decky.example', '-tls1_2')
  tls(decky, SERVICE.tls13, 'decky.example', '-tls1_3')
  tls(attacker, HOME_PORT, 'home.example', '-tls1_2')
  for (const port of Object.values(SERVICE)) await listening(hosts, decky, port)
  await listening(hosts, attacker, HOME_PORT)
}

function must({ code, text }: { code: number | null; text: string }): void {
  if (code !== 0) throw new Error(text)
}

/** Asked from the host itself, so that nothing of it is on the cable. */
async function listening(hosts: DecoyHosts, host: Host, port: number): Promise<void> {
  const script = `exec 3<>/dev/tcp/${host.address}/${port}`
  for (let tries = 0; hosts.run(host, ['bash', '-c', script]).code !== 0; tries++) {
    if (tries > 100) throw new Error(`nobody listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
