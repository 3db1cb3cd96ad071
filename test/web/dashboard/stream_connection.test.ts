import { expect, it } from 'vitest'
import {
  type Source,
  type SourceEvent,
  StreamConnection,
  type StreamEvent,
} from '../../../web/dashboard/src/live/stream_connection.ts'

/** A browser's side of a stream, and time, both by hand. */
function stage({ token = 'one' }: { token?: string | undefined } = {}) {
  const opened: {
    url: string
    say: (name: string, event?: SourceEvent) => void
    closed: boolean
  }[] = []
  const waiting: { ms: number; call: () => void }[] = []
  const now = { token: token as string | undefined }
  const connection = new StreamConnection({
    names: ['merged'],
    url: async (last) =>
      now.token === undefined ? undefined : `/s?token=${now.token}&last=${last ?? ''}`,
    open(url): Source {
      const heard = new Map<string, (event: SourceEvent) => void>()
      const one = {
        url,
        closed: false,
        say: (name: string, event: SourceEvent = {}) => heard.get(name)?.(event),
      }
      opened.push(one)
      return {
        addEventListener: (name, listener) => void heard.set(name, listener),
        close: () => {
          one.closed = true
        },
      }
    },
    later(ms, call) {
      const one = { ms, call }
      waiting.push(one)
      return () => {
        if (waiting.includes(one)) waiting.splice(waiting.indexOf(one), 1)
      }
    },
  })
  const events: StreamEvent[] = []
  const statuses: string[] = []
  const listener = {
    event: (event: StreamEvent) => void events.push(event),
    status: (status: string) => void statuses.push(status),
  }
  const pass = async () => {
    waiting.shift()?.call()
    await settle()
  }
  return { connection, opened, waiting, now, events, statuses, listener, pass }
}

/** Credentials are asked for, and come. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

const json = (value: object, lastEventId = ''): SourceEvent => ({
  data: JSON.stringify(value),
  lastEventId,
})

it('is connecting, then live, and hears each name', async () => {
  const { connection, opened, events, statuses, listener } = stage()
  connection.listen(listener)
  await settle()
  opened[0]?.say('open')
  opened[0]?.say('snapshot', json({ identities: [] }))
  opened[0]?.say('merged', json({ payload: { winner_uuid: 'a' } }))
  expect(statuses).toEqual(['connecting', 'live'])
  expect(events.map(({ name }) => name)).toEqual(['snapshot', 'merged'])
})

it('waits 3 s after it was cut off, and comes back with fresh credentials where it was', async () => {
  const { connection, opened, waiting, now, statuses, listener, pass } = stage()
  connection.listen(listener)
  await settle()
  opened[0]?.say('open')
  opened[0]?.say('merged', json({ payload: {} }, 'epoch-7'))
  opened[0]?.say('error')
  expect(opened[0]?.closed).toBe(true)
  expect(connection.status).toBe('offline')
  expect(waiting.map(({ ms }) => ms)).toEqual([3000])
  now.token = 'two'
  await pass()
  expect(opened[1]?.url).toBe('/s?token=two&last=epoch-7')
  opened[1]?.say('open')
  expect(statuses).toEqual(['connecting', 'live', 'offline', 'connecting', 'live'])
})

it('tells of a gap where it cannot say where it was', async () => {
  const { connection, opened, events, listener, pass } = stage()
  connection.listen(listener)
  await settle()
  opened[0]?.say('open')
  opened[0]?.say('error')
  await pass()
  opened[1]?.say('open')
  expect(events).toEqual([{ name: 'gap', data: {} }])
})

it('is deaf to a source that it has given up', async () => {
  const { connection, opened, events, waiting, listener, pass } = stage()
  connection.listen(listener)
  await settle()
  opened[0]?.say('error')
  await pass()
  opened[0]?.say('merged', json({ payload: {} }))
  opened[0]?.say('error')
  expect(events).toEqual([])
  expect(waiting).toEqual([])
})

it('passes over what is no JSON', async () => {
  const { connection, opened, events, listener } = stage()
  connection.listen(listener)
  await settle()
  opened[0]?.say('merged', { data: '{"payload":' })
  opened[0]?.say('merged', {})
  expect(events).toEqual([])
})

it('is shared: the second listener is shown the snapshot, and the last to leave closes it', async () => {
  const { connection, opened, listener } = stage()
  const leave = connection.listen({})
  await settle()
  opened[0]?.say('snapshot', json({ identities: [1] }))
  const late = stage()
  const leaveToo = connection.listen(late.listener)
  await settle()
  expect(opened).toHaveLength(1)
  expect(late.events).toEqual([{ name: 'snapshot', data: { identities: [1] } }])
  leave()
  expect(opened[0]?.closed).toBe(false)
  leaveToo()
  expect(opened[0]?.closed).toBe(true)
  connection.listen(listener)
  await settle()
  expect(opened).toHaveLength(2)
})

it('does not come back when nobody listens any more', async () => {
  const { connection, opened, waiting, listener } = stage()
  const leave = connection.listen(listener)
  await settle()
  opened[0]?.say('error')
  leave()
  expect(waiting).toEqual([])
  expect(opened).toHaveLength(1)
})

it('waits for credentials where there are none', async () => {
  const { connection, opened, now, listener, pass } = stage()
  now.token = undefined
  connection.listen(listener)
  await settle()
  expect(opened).toHaveLength(0)
  now.token = 'new'
  await pass()
  expect(opened[0]?.url).toContain('token=new')
})

it('opens nothing for a listener that left before the credentials came', async () => {
  const { connection, opened, statuses, listener } = stage()
  const leave = connection.listen(listener)
  leave()
  connection.listen(listener)
  await settle()
  expect(opened).toHaveLength(1)
  opened[0]?.say('open')
  expect(statuses.at(-1)).toBe('live')
})

it('asks for credentials anew at each try', async () => {
  const { connection, opened, now, listener, pass } = stage()
  connection.listen(listener)
  await settle()
  now.token = undefined
  opened[0]?.say('error')
  await pass()
  expect(connection.status).toBe('offline')
  now.token = 'three'
  await pass()
  expect(opened[1]?.url).toContain('token=three')
})
