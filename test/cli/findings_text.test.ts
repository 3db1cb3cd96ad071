import { expect, it } from 'vitest'
import { renderFindings } from '../../cli/findings_text.ts'

const nothing = {
  totals: {
    events: 0,
    attackers: 0,
    deckies: 0,
    services: 0,
    credentials: 0,
    attempts: 0,
    bounties: 0,
    reused: 0,
    identities: 0,
    campaigns: 0,
    firstSeen: undefined,
    lastSeen: undefined,
  },
  attackers: [],
  deckies: [],
  services: [],
  credentials: [],
  identities: [],
}

it('shows who came, what they tried and where', () => {
  const text = renderFindings({
    ...nothing,
    totals: {
      ...nothing.totals,
      events: 20_123,
      attackers: 2,
      bounties: 7,
      identities: 1,
      firstSeen: Date.UTC(2026, 10, 1, 18, 2, 11),
      lastSeen: Date.UTC(2026, 10, 2, 4, 13, 50),
    },
    attackers: [
      { name: '198.51.100.7', events: 20_000, deckies: 3, services: 1 },
      { name: '2001:db8::1', events: 123, deckies: 1, services: 1 },
    ],
    credentials: [
      {
        principal: 'root',
        secret: 'hunter2',
        kind: 'plaintext',
        attempts: 9,
        attackers: 2,
        targets: 3,
      },
    ],
    deckies: [{ name: 'web-01', events: 20_123 }],
    services: [
      { name: 'ssh', events: 20_000 },
      { name: 'http', events: 123 },
    ],
    identities: [{ uuid: '1f0c', addresses: 2, campaign: null }],
  })
  expect(text).toBe(`
What was found
  from 2026-11-01 18:02:11 to 2026-11-02 04:13:50 UTC
  events          20,123
  attackers            2
  deckies              0
  services             0
  credentials          0
  login attempts       0
  bounties             7
  reused secrets       0
  identities           1
  campaigns            0

  ATTACKER      EVENTS  DECKIES  SERVICES
  198.51.100.7  20,000        3         1
  2001:db8::1      123        1         1

  PRINCIPAL  SECRET   KIND       ATTEMPTS  ATTACKERS  TARGETS
  root       hunter2  plaintext         9          2        3

  IDENTITY  ADDRESSES  IDENTITIES IN ITS CAMPAIGN
  1f0c              2  -

  DECKY   EVENTS    SERVICE  EVENTS
  web-01  20,123    ssh      20,000
                    http        123
`)
})

it('shows nothing of an attacker that a terminal would obey', () => {
  const evil = '\x1b]0;owned\x07\n  198.51.100.1  9'
  const text = renderFindings({
    ...nothing,
    credentials: [
      { principal: evil, secret: null, kind: evil, attempts: 1, attackers: 1, targets: 1 },
    ],
    deckies: [{ name: 'x'.repeat(10_000), events: 1 }],
  })
  expect(text).toMatch(/^[\x20-\x7e\n…]*$/)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(200)
})
