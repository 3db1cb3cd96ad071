/** Reads the address a listener is to bind. */

const PORT = '(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|\\d{1,4})'
const HOST = '(?:\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9.-]{1,253})'
/** sun_path holds 107 bytes and a NUL on Linux. */
const SOCKET_PATH = '/[^\\x00]{1,106}'

/** Source of a regular expression for `tcp://HOST:PORT`, `udp://`, `tls://` and `unix:/path`. */
export const LISTEN_ADDRESS = `^(?:(tcp|udp|tls)://(${HOST}):(${PORT})|unix:(${SOCKET_PATH}))$`
const PATTERN = new RegExp(LISTEN_ADDRESS)

export type ListenAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * @param text e.g. `tcp://0.0.0.0:514`, `tls://[::]:6514`, `unix:/run/decnet/log.sock`; port 0
 * stands for any free one
 * @returns undefined where `text` is no such address
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, kind, host, port, path] = PATTERN.exec(text) ?? []
  if (path !== undefined) return { kind: 'unix', path }
  if (kind === undefined || host === undefined) return undefined
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  const where = { host: bare, port: Number(port) }
  return kind === 'udp' ? { kind, ...where } : { kind: kind === 'tls' ? 'tls' : 'tcp', ...where }
}

/**
 * Writes the address of a peer; IPv4 inside IPv6 is written as IPv4.
 * @example peerAddress('::ffff:192.0.2.1', 514) // '192.0.2.1:514'
 */
export function peerAddress(address: string, port: number): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
