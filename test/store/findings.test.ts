import { describe, expect, it } from 'vitest'
import { findings } from '../../store/findings.ts'
import { writeEvents } from '../../store/write_events.ts'
import { onEachDatabase } from './each_database.ts'
import { bountyEvent, credentialEvent, logEvent, TIME } from './events.ts'

onEachDatabase(({ fresh }) => {
  describe('findings', () => {
    it('of an empty database are zeros', async () => {
      expect(await findings(await fresh())).toEqual({
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
      })
    })

    it('rank attackers, deckies, services and credentials', async () => {
      const database = await fresh()
      await writeEvents(database, 'log', [
        logEvent(1, {}, TIME),
        logEvent(2, { decky: 'web-02', service: 'ftp' }, TIME + 5),
        logEvent(3, { attacker_ip: '203.0.113.9' }, TIME - 5),
        logEvent(4, { attacker_ip: 'Unknown' }),
      ])
      await writeEvents(database, 'credential', [
        credentialEvent(1),
        credentialEvent(2, { decky: 'web-02' }),
        credentialEvent(3, { attacker_ip: '203.0.113.9' }),
        credentialEvent(4, {
          principal: null,
          secret_sha256: '0'.repeat(64),
          secret_printable: 'x',
        }),
      ])
      await writeEvents(database, 'bounty', [bountyEvent(1)])
      expect(await findings(database, 2)).toEqual({
        totals: {
          events: 4,
          attackers: 2,
          deckies: 2,
          services: 2,
          credentials: 4,
          attempts: 4,
          bounties: 1,
          reused: 0,
          identities: 0,
          campaigns: 0,
          firstSeen: TIME - 5,
          lastSeen: TIME + 5,
        },
        attackers: [
          { name: '198.51.100.7', events: 2, deckies: 2, services: 2 },
          { name: '203.0.113.9', events: 1, deckies: 1, services: 1 },
        ],
        deckies: [
          { name: 'web-01', events: 3 },
          { name: 'web-02', events: 1 },
        ],
        services: [
          { name: 'ssh', events: 3 },
          { name: 'ftp', events: 1 },
        ],
        credentials: [
          {
            principal: 'root',
            secret: 'hunter2',
            kind: 'plaintext',
            attempts: 3,
            attackers: 2,
            targets: 2,
          },
          {
            principal: null,
            secret: 'x',
            kind: 'plaintext',
            attempts: 1,
            attackers: 1,
            targets: 1,
          },
        ],
        identities: [],
      })
    })
  })
})
