/** What operators with memory are held to: a crash between any two events changes nothing. */
import { type Harness, harness, type TestEvent } from '../../engine/harness.ts'

const told = (events: readonly { topic: string; time: number; data: unknown }[]) =>
  events.map(({ topic, time, data }) => ({ topic, time, data }))

/** @returns what comes out without a crash, and with one after every event and before the end */
export function withAndWithoutCrashes(
  component: Parameters<typeof harness>[0],
  config: Record<string, unknown>,
  events: readonly TestEvent[],
  end: number,
) {
  const straight = harness(component, config)
  const crashing = harness(component, config)
  const run = (one: Harness, crash: () => void) => {
    const out = events.flatMap((event) => {
      const made = one.send(event)
      crash()
      return made
    })
    return told([...out, ...one.advanceTo(end)])
  }
  return {
    straight: run(straight, () => undefined),
    crashing: run(crashing, () => crashing.crashAndRestore()),
  }
}
