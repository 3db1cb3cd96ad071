/** Hosts that an attacker has a machine talk to: where it fetches from and connects back to. */
import { calledBy } from './command_phase.ts'
import { isIpv4, parseIp, splitHostPort } from './ip_address.ts'
import { simpleCommands } from './shell_words.ts'

/** Ports that go without saying, as in a URL. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: '80',
  https: '443',
  ftp: '21',
  tftp: '69',
}
/** Endpoints of one line, at most. */
const MAX_ENDPOINTS = 16
/** RFC 1035 section 2.3.4 */
const MAX_HOST = 253

const URL_START =
  /\b(https?|ftps?|tftp|ldaps?|rmi|stratum\+(?:tcp|ssl)|tcp|udp):\/\/(?:[^\s/@'"<>|;]{0,128}@)?(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::(\d{1,5}))?/gi
const DEVICE = /\/dev\/(?:tcp|udp)\/([a-z0-9._:-]{1,253})\/(\d{1,5})/gi
const HOST_NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/

/**
 * @param scheme lower case; its own port is left out
 * @returns `host` or `host:port`, lower case, IPv6 in brackets; undefined for what is no host
 */
function endpointOf(host: string, port: string | undefined, scheme?: string): string | undefined {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host.replace(/\.$/, '')
  const address = parseIp(bare)
  const name = address ?? bare.toLowerCase()
  if (address === undefined && (name.length > MAX_HOST || !HOST_NAME.test(name))) return undefined
  const shown = name.includes(':') ? `[${name}]` : name
  if (port === undefined || port === '' || !(Number(port) > 0 && Number(port) < 65_536))
    return shown
  const isUsual = scheme !== undefined && DEFAULT_PORTS[scheme] === String(Number(port))
  return isUsual ? shown : `${shown}:${Number(port)}`
}

/** @returns the endpoints of the URLs in a text, each once */
export function urlEndpoints(text: string): string[] {
  const found = new Set<string>()
  for (const [, scheme = '', host = '', port] of text.matchAll(URL_START)) {
    const endpoint = endpointOf(host, port, scheme.toLowerCase())
    if (endpoint !== undefined && found.size < MAX_ENDPOINTS) found.add(endpoint)
  }
  return [...found]
}

/**
 * Endpoints that a shell command line names: in URLs, as the host of `wget`, `curl`, `tftp`, `ftpget`,
 * `ftp`, `nc`, `socat` and the like, and in `/dev/tcp/host/port`.
 */
export function commandEndpoints(line: string): string[] {
  const found = new Set(urlEndpoints(line))
  for (const [, host = '', port] of line.matchAll(DEVICE)) {
    add(found, endpointOf(host, port))
  }
  for (const command of simpleCommands(line)) {
    const called = calledBy(command)
    if (called && Object.hasOwn(HOSTS, called.name)) {
      add(found, HOSTS[called.name]?.(called.args.filter((word) => word !== '')))
    }
  }
  return [...found]
}

function add(found: Set<string>, endpoint: string | undefined): void {
  if (endpoint !== undefined && found.size < MAX_ENDPOINTS) found.add(endpoint)
}

type Args = readonly string[]

/** What is no option nor the value of one of `valued`, given as letters. */
function operands(args: Args, valued: string): string[] {
  const found: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string
    if (/^(?:\d?>|<|&)/.test(word)) break
    if (!word.startsWith('-')) found.push(word)
    else if (/^-\w+$/.test(word) && valued.includes(word.at(-1) as string)) at += 1
  }
  return found
}

/** The first operand that reads like a host with a path; one with `://` has been found as a URL. */
function fetched(args: Args, valued: string): string | undefined {
  const [target] = operands(args, valued)
  if (target === undefined || target.includes('://')) return undefined
  const { host, port } = splitHostPort(target.split('/')[0] as string)
  // A bare word with a dot is a file as well as a host: `wget x.sh` tells nothing.
  return target.includes('/') || isIpv4(host) ? endpointOf(host, port, 'http') : undefined
}

const optionValue = (args: Args, option: string): string | undefined => {
  const at = args.indexOf(option)
  return at === -1 ? undefined : args[at + 1]
}

function connected(args: Args, valued: string): string | undefined {
  const [host, port] = operands(args, valued)
  if (host === undefined || port === undefined || !/^\d{1,5}$/.test(port)) return undefined
  return endpointOf(host, port)
}

function tftp(args: Args): string | undefined {
  const [host, port] = operands(args, 'rlcmb')
  if (host === undefined) return undefined
  return endpointOf(host, /^\d{1,5}$/.test(port ?? '') ? port : undefined, 'tftp')
}

function ftpget(args: Args): string | undefined {
  const [host] = operands(args, 'upP')
  return host === undefined ? undefined : endpointOf(host, optionValue(args, '-P'), 'ftp')
}

function ftp(args: Args): string | undefined {
  const [host, port] = operands(args, 'Po')
  if (host === undefined) return undefined
  return endpointOf(host, /^\d{1,5}$/.test(port ?? '') ? port : optionValue(args, '-P'), 'ftp')
}

function socat(args: Args): string | undefined {
  for (const word of args) {
    const [, host = '', port] =
      /^(?:tcp|tcp4|udp|openssl|ssl)(?:-connect)?:([^:,]{1,253}):(\d{1,5})/i.exec(word) ?? []
    if (port !== undefined) return endpointOf(host, port)
  }
  return undefined
}

const netcat = (args: Args) => connected(args, 'epwisqXxgGc')

const HOSTS: Readonly<Record<string, (args: Args) => string | undefined>> = {
  wget: (args) => fetched(args, 'OoaPUQtTwie'),
  curl: (args) => fetched(args, 'oAHdXeumTFbcEKrwxyYz'),
  fetch: (args) => fetched(args, 'oTw'),
  tftp,
  ftpget,
  ftp,
  nc: netcat,
  ncat: netcat,
  netcat,
  socat,
}
