/** JA4T: a TCP client by its window and options. */
import type { SynFeatures } from './syn_features.ts'

/**
 * @returns `window_kinds_mss_scale`, e.g. `64240_2-4-8-1-3_1460_7`: kinds in decimal, each byte behind
 *   kind 0 as another `0`, `00` for a part that is not there
 * @see FoxIO, JA4T technical details
 */
export function ja4t({ window, options }: SynFeatures): string {
  const { kinds, kindCount, eolPadding, mss, windowScale } = options
  const listed = [...kinds.subarray(0, kindCount), ...new Array<number>(eolPadding).fill(0)]
  const scale = windowScale < 0 ? '00' : windowScale
  return `${window}_${listed.join('-') || '00'}_${mss || '00'}_${scale}`
}
