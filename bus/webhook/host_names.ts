/** Names to addresses, without keeping anything else waiting and without asking for ever. */
import { Resolver } from 'node:dns/promises'
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { pause } from '../../engine/index.ts'

/** @returns every address of a name, maybe none; rejects or answers within a bounded time */
export type ResolveName = (hostname: string) => Promise<readonly string[]>

/** One question to one server, ms, and how many such. */
const ASK_MS = 2000
const TRIES = 2
/** All of it, ms. */
const LONGEST_MS = 5000
const HOSTS_FILE = '/etc/hosts'
const HOSTS_MAX_BYTES = 2 ** 20

/**
 * Asks `/etc/hosts` and then the name servers of the host, as programs do by default, though whole
 * names only. The system's own `getaddrinfo` would take one of four threads of this process for as
 * long as it likes.
 */
export function systemNames(): ResolveName {
  const hosts = hostsFile(HOSTS_FILE)
  return async (hostname) => {
    const listed = (await hosts()).get(hostname.toLowerCase())
    return listed ?? askServers(hostname)
  }
}

async function askServers(hostname: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: ASK_MS, tries: TRIES })
  const over = new AbortController()
  const late = pause(LONGEST_MS, over.signal).then(() => resolver.cancel())
  const answers = await Promise.allSettled([
    resolver.resolve4(hostname),
    resolver.resolve6(hostname),
  ])
  over.abort()
  await late
  const addresses = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  const [failure] = answers.filter((one) => one.status === 'rejected')
  // A name may have addresses of one family only; without any, the reason is worth telling.
  if (addresses.length === 0 && failure) throw failure.reason
  return addresses
}

/** The file, read again when it has changed. */
function hostsFile(path: string): () => Promise<ReadonlyMap<string, readonly string[]>> {
  let version = -1
  let names: ReadonlyMap<string, readonly string[]> = new Map()
  return async () => {
    try {
      const { mtimeMs, size } = await stat(path)
      if (mtimeMs === version || size > HOSTS_MAX_BYTES) return names
      names = parseHosts(await readFile(path, 'utf8'))
      version = mtimeMs
    } catch (error) {
      // Without the file there are the name servers.
      if (!(error instanceof Error && 'syscall' in error)) throw error
    }
    return names
  }
}

/** @returns addresses by name in lower case, of a text as `hosts(5)` has it */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const alias of aliases) {
      const name = alias.toLowerCase()
      names.set(name, [...(names.get(name) ?? []), address])
    }
  }
  return names
}
