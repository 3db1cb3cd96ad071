/** What a page would show of identities: rows of the last snapshot, and on top what came since. */
import type { SseEvent } from '../../../protocols/sse.ts'

interface Shown {
  readonly uuid: string
  readonly observation_count: number
}

export class IdentityView {
  /** observations, by uuid */
  readonly rows = new Map<string, number>()
  /** events that came, and those that gaps say were missed */
  seen = 0
  missed = 0
  /** gaps that no snapshot follows at once */
  bareGaps = 0
  #afterGap = false

  take({ type, data }: SseEvent): void {
    const told = JSON.parse(data)
    if (this.#afterGap && type !== 'snapshot') this.bareGaps += 1
    this.#afterGap = type === 'gap'
    if (type === 'gap') this.missed += told.missed
    else if (type === 'snapshot') {
      this.rows.clear()
      for (const row of told.identities as Shown[]) this.rows.set(row.uuid, row.observation_count)
    } else {
      this.seen += 1
      const { identity_uuid, observation_count } = told.payload
      // A snapshot may know more than the events behind it.
      const known = this.rows.get(identity_uuid) ?? 0
      this.rows.set(identity_uuid, Math.max(known, observation_count))
    }
  }
}
