import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  appendSample,
  classify,
  IP_ID_MODULUS,
  ISN_MODULUS,
  SAMPLES_KEPT,
} from '../../../protocols/fingerprint/sequence_class.ts'

it.each([
  [[], 'unknown'],
  [[1, 2, 3], 'unknown'],
  [[0, 0, 0, 0], 'zero'],
  [[7, 7, 7, 7], 'constant'],
  [[0, 1, 2, 3], 'incremental'],
  [[100, 4196, 8292, 12388], 'incremental'],
  [[100, 4197, 8292, 12388], 'random'],
  [[500, 400, 300, 200], 'random'],
  [[5, 5, 6, 7], 'random'],
  [[0, 0, 0, 1], 'random'],
])('says of %j: %s, with and without wrapping', (samples, label) => {
  expect(classify(samples)).toBe(label)
  expect(classify(samples, { modulus: IP_ID_MODULUS })).toBe(label)
})

it('counts on over the end of the range when told where it is', () => {
  expect(classify([65530, 65533, 0, 3])).toBe('random')
  expect(classify([65530, 65533, 0, 3], { modulus: IP_ID_MODULUS })).toBe('incremental')
  const isns = [0xffffff00, 0xfffffff0, 10, 20]
  expect(classify(isns, { modulus: ISN_MODULUS })).toBe('incremental')
  expect(classify(isns, { modulus: IP_ID_MODULUS })).toBe('random')
})

it('forgets one odd sample after eight others', () => {
  let samples: number[] = []
  const labels = [10, 11, 12, 13, 14, 50000, 15, 16, 17, 18, 19, 20, 21, 22].map((id) => {
    samples = appendSample(samples, id)
    return classify(samples, { modulus: IP_ID_MODULUS })
  })
  expect(labels).toEqual([
    ...Array<string>(3).fill('unknown'),
    ...Array<string>(2).fill('incremental'),
    ...Array<string>(8).fill('random'),
    'incremental',
  ])
  expect(samples).toHaveLength(SAMPLES_KEPT)
})

it('is one rule, however the samples are looked at', () => {
  const sample = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.nat(0xffff))
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 8 }), (samples) => {
      const steps = samples.slice(1).map((value, at) => value - (samples[at] ?? 0))
      const expected = () => {
        if (samples.length < 4) return 'unknown'
        if (steps.every((step) => step === 0)) return samples[0] === 0 ? 'zero' : 'constant'
        return steps.every((step) => step >= 1 && step <= 4096) ? 'incremental' : 'random'
      }
      expect(classify(samples)).toBe(expected())
    }),
  )
})
