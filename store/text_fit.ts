/** Makes attackers' text fit a column, so that no text can fail its row. */

/** Counts what was cut, for one batch. */
export interface TextFit {
  /** How many texts have been cut so far. */
  readonly cut: number
  /** @returns `text` without lone surrogates, cut to `limit` code points */
  fit(text: string, limit: number): string
}

/** @returns a fresh counter with its `fit` */
export function textFit(): TextFit {
  let cut = 0
  return {
    get cut() {
      return cut
    },
    fit(text, limit) {
      // A lone surrogate has no UTF-8 form; both databases would refuse it or change it silently.
      const whole = text.isWellFormed() ? text : text.toWellFormed()
      if (whole.length <= limit) return whole
      const kept = firstCodePoints(whole, limit)
      if (kept.length < whole.length) cut += 1
      return kept
    },
  }
}

function firstCodePoints(text: string, limit: number): string {
  let end = 0
  for (let count = 0; count < limit && end < text.length; count += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1
  }
  return text.slice(0, end)
}
