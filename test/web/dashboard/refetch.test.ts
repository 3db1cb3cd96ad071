import { expect, it } from 'vitest'
import { concerns } from '../../../web/dashboard/src/live/refetch.ts'

const event = (payload: object, name = 'merged') => ({ name, data: { payload } })

it.each([
  ['the identity that is formed', { identity_uuid: 'mine' }],
  ['the winner of a merge', { winner_uuid: 'mine', loser_uuid: 'x' }],
  ['the loser of a merge', { winner_uuid: 'x', loser_uuid: 'mine' }],
  ['one that is back', { resurrected_uuid: 'mine', former_winner_uuid: 'x' }],
  ['one that it was part of', { resurrected_uuid: 'x', former_winner_uuid: 'mine' }],
  ['its campaign', { campaign_uuid: 'mine' }],
  ['a campaign that an identity has left', { prior_campaign_uuid: 'mine' }],
  ['an address that is linked', { identity_uuid: 'x', observation_uuid: 'mine' }],
  ['one of the addresses of a new identity', { observation_uuids: ['x', 'mine'] }],
  ['one that may be among those that were left out', { observation_uuids: ['x'], left_out: 1 }],
])('reads a page anew that shows %s', (_what, payload) => {
  expect(concerns(event(payload), ['mine'])).toBe(true)
})

it('leaves a page alone that is about others', () => {
  expect(concerns(event({ winner_uuid: 'a', loser_uuid: 'b' }), ['mine', null, undefined])).toBe(
    false,
  )
})

it('counts any of the names that a page goes by', () => {
  expect(concerns(event({ loser_uuid: 'now' }), ['asked', 'now'])).toBe(true)
})

it.each(['gap', 'snapshot', 'bus.reconnected'])('reads every page anew after %s', (name) => {
  expect(concerns({ name, data: {} }, ['mine'])).toBe(true)
})

it.each([
  null,
  'text',
  7,
  {},
  { payload: null },
  { payload: [] },
  { payload: { identity_uuid: 7, observation_uuids: 'mine' } },
])('makes nothing of %j', (data) => {
  expect(concerns({ name: 'merged', data }, ['mine', undefined])).toBe(false)
})
