import { afterEach, beforeEach, expect, it } from 'vitest'
import { NOW, type TestApi, testApi, userUuid } from './api.ts'
import { openStream, type StreamClient } from './stream_client.ts'

let api: TestApi
let base: string
const clients: StreamClient[] = []
beforeEach(async () => {
  api = await testApi({ settings: { streamsPerUser: 100 } })
  base = `${await api.listen()}/api/v1`
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await api.close()
})

const fresh = async (user = 'vic'): Promise<string> =>
  (await api.post('/auth/sse-ticket', undefined, user)).json().ticket
async function open(query: string, headers: Record<string, string> = {}) {
  const client = await openStream(`${base}/identities/events${query}`, headers)
  clients.push(client)
  return client.status
}

it('is 32 random bytes that may stand in a URL, for a minute', async () => {
  const { statusCode, json } = await api.post('/auth/sse-ticket', undefined, 'vic')
  expect([statusCode, json()]).toEqual([
    200,
    { ticket: expect.stringMatching(/^[\w-]{43}$/), expires_in: 60 },
  ])
  expect(await fresh()).not.toBe(json().ticket)
})

it('opens one stream, and no second', async () => {
  const ticket = await fresh()
  expect(await open(`?ticket=${ticket}`)).toBe(200)
  expect(await open(`?ticket=${ticket}`)).toBe(401)
})

it('opens /stream as well, and nothing that is no stream', async () => {
  const ticket = await fresh()
  const { statusCode } = await api.app.inject({
    method: 'GET',
    url: `/api/v1/stats?ticket=${ticket}`,
  })
  expect(statusCode).toBe(401)
  const client = await openStream(`${base}/stream?ticket=${ticket}`)
  clients.push(client)
  expect(client.status).toBe(200)
})

it('is worth nothing after a minute', async () => {
  const [first, second] = [await fresh(), await fresh()]
  api.clock.advanceTo(NOW + 59_999)
  expect(await open(`?ticket=${first}`)).toBe(200)
  api.clock.advanceTo(NOW + 60_000)
  expect(await open(`?ticket=${second}`)).toBe(401)
})

it('is not spent where a header or a token opens the stream', async () => {
  const ticket = await fresh()
  const authorization = `Bearer ${await api.token('vic')}`
  expect(await open(`?ticket=${ticket}`, { authorization })).toBe(200)
  expect(await open(`?ticket=${ticket}`, { authorization: 'Bearer no' })).toBe(401)
  // A bad ticket is not made good by a token beside it.
  expect(await open(`?ticket=no&token=${await api.token('vic')}`)).toBe(401)
  expect(await open(`?ticket=${ticket}`)).toBe(200)
})

it('ends with its token, its user and his role', async () => {
  const token = await api.token('zoe')
  const headers = { authorization: `Bearer ${token}` }
  const post = (url: string) => api.app.inject({ method: 'POST', url: `/api/v1${url}`, headers })
  const ticket = (await post('/auth/sse-ticket')).json().ticket
  await post('/auth/logout')
  expect(await open(`?ticket=${ticket}`)).toBe(401)

  const promoted = await fresh('vic')
  const admin = { authorization: `Bearer ${await api.token('ada')}` }
  const url = `/api/v1/config/users/${userUuid('vic')}`
  const payload = { role: 'admin' }
  await api.app.inject({ method: 'PUT', url: `${url}/role`, headers: admin, payload })
  expect(await open(`?ticket=${promoted}`)).toBe(401)

  // Tokens of the tests are as old as they can be: those of a second later are good again.
  api.clock.advanceTo(NOW + 2000)
  const removed = await fresh('vic')
  const later = { authorization: `Bearer ${await api.token('ada')}` }
  await api.app.inject({ method: 'DELETE', url, headers: later })
  expect(await open(`?ticket=${removed}`)).toBe(401)
})

it('goes when its user has asked for many since, and others keep theirs', async () => {
  const [mine, other] = [await fresh('vic'), await fresh('zoe')]
  for (let n = 0; n < 31; n++) await fresh('vic')
  const last = await fresh('vic')
  expect(await open(`?ticket=${mine}`)).toBe(401)
  expect(await open(`?ticket=${last}`)).toBe(200)
  expect(await open(`?ticket=${other}`)).toBe(200)
})
