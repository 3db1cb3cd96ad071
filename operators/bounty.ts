/** Finds what a log record tells of the attacker: fingerprints, address leaks, artifacts. */
import { Type } from 'typebox'
import { type Context, defineOperator } from '../engine/index.ts'
import { bountiesOf } from '../protocols/bounty/bounties_of.ts'
import { type IpNetwork, parseNetwork } from '../protocols/ip_network.ts'
import { quote } from '../protocols/quote.ts'

/** Each is compared with the source of every request that claims to be of another. */
const MAX_PROXIES = 256

export const bounty = defineOperator({
  type: 'bounty',
  summary:
    'One event per thing worth keeping in a log record: a fingerprint of a program, a host or a ' +
    'TCP stack, an address that a proxy gives away, a file or a mail that was left.',
  promise:
    'Equal finds of one attacker have equal payloads: no path, method or port of a single request ' +
    'is in them. Six events per record at most; other records are filtered.',
  config: Type.Object({
    trusted_proxies: Type.Union(
      [
        Type.String({ maxLength: 16 * 1024 }),
        Type.Array(Type.String({ maxLength: 64 }), { maxItems: MAX_PROXIES }),
      ],
      {
        default: [],
        description:
          'Proxies in front of the deckies, addresses or blocks (`10.0.0.0/8`), a list or with ' +
          'commas; what their headers say of a client is no leak and no lie. What is neither is ' +
          'left out with a warning.',
      },
    ),
  }),
  input: Type.Object({
    attacker_ip: Type.String(),
    decky: Type.String(),
    service: Type.String(),
    event_type: Type.String(),
    // Free: a record without fields tells nothing, and is no mistake.
    fields: Type.Optional(Type.Unknown()),
  }),
  examples: [
    {
      title: 'A request through a proxy that gives the client away, and one of a trusted proxy',
      yaml: 'type: bounty\ntrusted_proxies: 9.9.9.0/24, 2620:fe::fe',
      run: {
        send: [request('8.8.4.4'), request('9.9.9.9')],
        expect: [
          found('fingerprint', { fingerprint_type: 'http_useragent', tool: 'curl' }),
          found('ip_leak', { source_ip: '8.8.4.4', real_ip_claim: '1.1.1.1' }),
          found('fingerprint', { fingerprint_type: 'http_quirks', casing_category: 'title' }),
          found('fingerprint', { fingerprint_type: 'http_useragent', tool: 'curl' }),
          found('fingerprint', { fingerprint_type: 'http_quirks', casing_category: 'title' }),
        ],
      },
    },
    {
      title: 'The algorithms that an SSH client offers',
      yaml: 'type: bounty',
      run: {
        send: [
          {
            topic: 'system.log',
            data: {
              attacker_ip: '198.51.100.7',
              decky: 'pot-1',
              service: 'ssh',
              event_type: 'hassh',
              fields: { hassh: '51cba57125523ce4b9db67714a90bf6e', sid: 'bdccb06a5865' },
            },
          },
        ],
        expect: [
          found('fingerprint', {
            fingerprint_type: 'hassh',
            hash: '51cba57125523ce4b9db67714a90bf6e',
          }),
        ],
      },
    },
  ],
  pure: true,
  each: ({ trusted_proxies }, context) => {
    const trusted = networksOf(trusted_proxies, context)
    return ({ data, time }) => {
      const bounties = bountiesOf(data, trusted)
      if (bounties.length === 0) {
        context.explain?.('the record tells nothing of who sent it that is worth keeping')
        return undefined
      }
      return bounties.map((found) => ({ topic: 'bounty.found', time, data: { ...found } }))
    }
  },
})

function networksOf(proxies: string | readonly string[], { log }: Context): IpNetwork[] {
  const entries = (typeof proxies === 'string' ? proxies.split(',') : proxies)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  if (entries.length > MAX_PROXIES) {
    log.warn({ most: MAX_PROXIES, given: entries.length }, 'trusted proxies are left out')
  }
  return entries.slice(0, MAX_PROXIES).flatMap((entry) => {
    const network = parseNetwork(entry)
    if (!network) log.warn({ entry: quote(entry) }, 'a trusted proxy is no address and no block')
    return network ?? []
  })
}

/** A request for the examples. */
function request(attacker_ip: string) {
  const headers = {
    Host: 'shop.example',
    'User-Agent': 'curl/8.5.0',
    'X-Forwarded-For': '1.1.1.1, 10.0.0.1',
  }
  const fields = { path: '/admin', headers: JSON.stringify(headers) }
  const data = { attacker_ip, decky: 'shop-03', service: 'http', event_type: 'request', fields }
  return { topic: 'system.log', data }
}

/** What is expected of the examples. */
function found(bounty_type: string, payload: object) {
  return { topic: 'bounty.found', data: { bounty_type, payload } }
}
