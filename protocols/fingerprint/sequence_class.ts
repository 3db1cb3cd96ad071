/** How a host numbers its packets (IP-ID) or connections (ISN), told from the last few numbers. */

export type SequenceClass = 'unknown' | 'zero' | 'constant' | 'incremental' | 'random'

/** Samples that are remembered per source, oldest first. */
export const SAMPLES_KEPT = 8

/** The range of an IP-ID, for `modulus`. */
export const IP_ID_MODULUS = 2 ** 16
/** The range of an initial sequence number, for `modulus`. */
export const ISN_MODULUS = 2 ** 32

const FEWEST = 4
const LARGEST_STEP = 0x1000

/**
 * @param samples oldest first, whole numbers of 0 or more
 * @param options `modulus`: where the counter starts over, so that a wrap is a step like any other;
 *   without it a wrap reads as `random`
 * @returns `unknown` below four samples; `incremental` where each step is 1 to 4096
 * @example classify([65530, 65533, 0, 3], { modulus: 65536 }) // 'incremental'
 */
export function classify(
  samples: readonly number[],
  { modulus }: { readonly modulus?: number } = {},
): SequenceClass {
  if (samples.length < FEWEST) return 'unknown'
  const first = samples[0] ?? 0
  let previous = first
  let same = true
  let steps = true
  for (let at = 1; at < samples.length; at++) {
    const sample = samples[at] ?? 0
    let step = sample - previous
    if (step < 0 && modulus !== undefined) step += modulus
    if (sample !== first) same = false
    if (!(step >= 1 && step <= LARGEST_STEP)) steps = false
    if (!same && !steps) return 'random'
    previous = sample
  }
  if (same) return first === 0 ? 'zero' : 'constant'
  return 'incremental'
}

/**
 * Adds a sample behind the others; the oldest of more than eight goes.
 * @returns `samples`, changed in place, or where there were none an array of its own
 */
export function appendSample(samples: number[], sample: number): number[] {
  // Most sources are seen once in a flood with forged ones, and a push makes room for sixteen more.
  if (samples.length === 0) return [sample]
  if (samples.length < SAMPLES_KEPT) {
    samples.push(sample)
    return samples
  }
  if (samples.length > SAMPLES_KEPT) samples.splice(0, samples.length - SAMPLES_KEPT)
  // Not by shift and push, which makes the array anew each time.
  for (let at = 1; at < SAMPLES_KEPT; at++) samples[at - 1] = samples[at] ?? 0
  samples[SAMPLES_KEPT - 1] = sample
  return samples
}
