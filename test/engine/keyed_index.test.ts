import { Type } from 'typebox'
import { expect, it } from 'vitest'
import { defineOperator } from '../../engine/define.ts'
import { harness } from '../../engine/harness.ts'
import { KeyedState } from '../../engine/keyed_state.ts'

/** Tells at each event how many of each name there are, by an index beside the state. */
const census = defineOperator({
  type: 'census',
  summary: 'Counts the keys of each kind.',
  promise: 'Exact across restarts.',
  config: Type.Object({}),
  input: Type.Object({ name: Type.String(), of: Type.Optional(Type.String()) }),
  state: Type.Object({ kind: Type.String() }),
  examples: [],
  keyed: () => {
    const kinds = new Map<string, string>()
    return {
      key: ({ data }) => data.name,
      init(key): { kind: string } {
        kinds.set(key, '')
        return { kind: '' }
      },
      restored(states) {
        for (const [key, { kind }] of states) kinds.set(key, kind)
      },
      dropped: (key) => void kinds.delete(key),
      step(_state, { data, time }, timers) {
        const { of = data.name } = data
        const other = timers.open(of) as { kind: string }
        other.kind = 'marked'
        kinds.set(of, 'marked')
        return { topic: 'census', time, data: { kinds: Object.fromEntries([...kinds].sort()) } }
      },
    }
  },
})

it('keeps what was done to other keys, and an index of all, over a restart', () => {
  const run = harness(census, { max_keys: 3 })
  const send = (name: string, of?: string) =>
    run.send({ data: { name, ...(of !== undefined && { of }) } })[0]?.data.kinds
  expect(send('a', 'b')).toEqual({ a: '', b: 'marked' })
  run.crashAndRestore()
  expect(send('c')).toEqual({ a: '', b: 'marked', c: 'marked' })
  run.crashAndRestore()
  // The key unused for longest goes, and the index hears of it.
  expect(send('d')).toEqual({ b: 'marked', c: 'marked', d: 'marked' })
  expect(run.errors).toEqual([])
})

it('takes no key from code that is longer than one of an event may be', () => {
  const run = harness(census, {})
  run.send({ data: { name: 'a', of: 'b'.repeat(1024) } })
  expect(run.errors).toEqual([])
  run.send({ data: { name: 'a', of: 'b'.repeat(1025) } })
  expect(run.errors).toMatchObject([{ data: { code: 'KEY_TOO_LONG' } }])
})

it('has no key in the index that has aged out, however many events are one batch', () => {
  const events = [
    { time: 0, data: { name: 'a' } },
    { time: 50, data: { name: 'b' } },
    { time: 120, data: { name: 'c' } },
    { time: 300, data: { name: 'd' } },
  ]
  const [together, apart] = [0, 1].map(() => harness(census, { ttl: '100ms' }))
  const expected = events.flatMap((event) => apart?.send(event) ?? [])
  expect(expected.map(({ data }) => Object.keys(data.kinds as object))).toEqual([
    ['a'],
    ['a', 'b'],
    ['b', 'c'],
    ['d'],
  ])
  expect(together?.send(...events).map(({ data }) => data)).toEqual(
    expected.map(({ data }) => data),
  )
})

it('holds no more keys than it may after a restart with less room', () => {
  const bounds = { ttl: undefined }
  const before = new KeyedState({ ...bounds, maxKeys: 10 })
  for (let key = 0; key < 10; key++) before.open(`${key}`, 0, () => ({}))
  const gone: string[] = []
  const after = new KeyedState({ ...bounds, maxKeys: 3 }, (key) => void gone.push(key))
  after.restore(before.takeChanges().saved)
  after.open('new', 0, () => ({}))
  expect([...after.states()].map(([key]) => key)).toEqual(['8', '9', 'new'])
  expect(gone).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  expect(after.takeChanges().removed).toEqual(gone)
})
