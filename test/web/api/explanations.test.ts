import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestApi, testApi } from './api.ts'
import { attackerRow, identityRow, insertRow, writeLog } from './rows.ts'

const IDENTITY = '11111111-1111-4111-8111-111111111111'
const ATTACKER = '22222222-2222-4222-8222-222222222222'

let api: TestApi
beforeAll(async () => {
  api = await testApi()
  await insertRow(api.database, 'attacker_identities', identityRow(IDENTITY))
  const identity_id = IDENTITY
  await insertRow(api.database, 'attackers', attackerRow(ATTACKER, '198.51.100.7', { identity_id }))
  await writeLog(api.database, { event_type: 'command', fields: { command: 'id' } })
})
afterAll(() => api.close())

describe('an explanation', () => {
  it('tells the evidence behind an attacker and an identity', async () => {
    const attacker = await api.get(`/attackers/${ATTACKER}/explanation`, 'vic')
    expect([attacker.statusCode, attacker.json().subject]).toEqual([200, 'attacker'])
    const identity = await api.get(`/identities/${IDENTITY}/explanation?limit=1`, 'vic')
    expect([identity.statusCode, identity.json()]).toEqual([
      200,
      expect.objectContaining({ version: 1, subject: 'identity' }),
    ])
  })

  it.each(['attackers', 'identities', 'campaigns', 'credential-reuse'])(
    'of what is not there is not found among %s',
    async (path) => {
      for (const id of ['33333333-3333-4333-8333-333333333333', 'x', '%25', '<b>']) {
        const { statusCode, body } = await api.get(
          `/${path}/${encodeURIComponent(id)}/explanation`,
          'vic',
        )
        expect([statusCode, body.includes('<')]).toEqual([404, false])
      }
    },
  )

  it('refuses more entries than it would show', async () => {
    const { statusCode } = await api.get(`/attackers/${ATTACKER}/explanation?limit=201`, 'vic')
    expect(statusCode).toBe(422)
  })
})
