/** What may be written as the URL of a webhook. */

/** Characters of a URL, as many as its column holds. */
const URL_MAX = 2048

export interface Target {
  /** as it is stored: host in lower case, a bare host with its `/` */
  readonly url: URL
  /** without the brackets of IPv6 */
  readonly hostname: string
}

/**
 * Reads a URL more strictly than browsers do, who find a host in `http:///x`. Numbers that stand for
 * an IPv4 address in odd ways (`127.1`, `0x7f.1`) become that address.
 * @returns why it is refused, as text
 */
export function readTarget(text: string): Target | string {
  if (text.length > URL_MAX) return `longer than ${URL_MAX} characters`
  // URL would leave out or turn around what no client of ours should be asked to.
  if (/[\s\\\p{Cc}]/u.test(text)) return 'holds blanks, backslashes or control characters'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme !== 'http' && scheme !== 'https') return 'neither http nor https'
  if (!/^[a-z]+:\/\/[^/?#]/i.test(text)) return 'has no host'
  if (!URL.canParse(text)) return 'cannot be read'
  const url = new URL(text)
  if (url.hostname === '') return 'has no host'
  if (url.port === '0') return 'has a port out of 1 to 65535'
  // No further than this process, and never part of a request.
  url.hash = ''
  if (url.href.length > URL_MAX) return `longer than ${URL_MAX} characters`
  return { url, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1') }
}
