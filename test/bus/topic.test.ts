import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BusError } from '../../bus/bus_error.ts'
import { isPattern, isTopic, matcher, segment, TOPIC_MAX, topics } from '../../bus/topic.ts'

describe('patterns', () => {
  // spec/bus.md, "How you know it works"
  it.each([
    ['a.b', 'a.b', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['*', 'a.b', false],
    ['*.b', 'a.b', true],
    ['A.b', 'a.b', false],
    ['system.*.health', 'system.bus.health', true],
    ['decky.*.state', 'decky.local:web-01.state', true],
    ['a.>', 'a', false],
    ['a.>', 'a.b.c.d', true],
    ['>', 'a.b', true],
    ['a.>.c', 'a.b.x', true],
    ['a.*.c', 'a..c', false],
    ['a.b*', 'a.bc', false],
    ['attacker.*', 'attacker.session.started', false],
    ['attacker.*.*', 'attacker.session.started', true],
  ])('%s against %s: %s', (pattern, topic, expected) => {
    expect(matcher(pattern)(topic)).toBe(expected)
  })

  it('match a topic that is made from them', () => {
    const word = fc.stringMatching(/^[a-z0-9:_-]{1,6}$/)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, fc.boolean()), { minLength: 1, maxLength: 6 }),
        (parts) => {
          const topic = parts.map(([name]) => name).join('.')
          const pattern = parts.map(([name, wild]) => (wild ? '*' : name)).join('.')
          expect(matcher(pattern)(topic)).toBe(true)
          expect(matcher(`${pattern}.>`)(topic)).toBe(false)
          expect(matcher(`${pattern}.>`)(`${topic}.more`)).toBe(true)
          expect(matcher(pattern)(`${topic}.more`)).toBe(false)
          expect(isPattern(`${pattern}.>`)).toBe(true)
        },
      ),
    )
  })
})

describe('topics', () => {
  it.each([
    [topics.decky('local:web-01', 'state'), 'decky.local:web-01.state'],
    [topics.deckyMutation('web-01'), 'decky.web-01.mutation'],
    [topics.topologyMutation('7', 'applied'), 'topology.7.mutation.applied'],
    [topics.topologyStatus('7'), 'topology.7.status'],
    [topics.orchestrator('traffic', 'h:web'), 'orchestrator.traffic.h:web'],
    [topics.health('prober'), 'system.prober.health'],
    [topics.control('prober'), 'system.prober.control'],
    [topics.system('bus.health'), 'system.bus.health'],
    [topics.attacker('session.ended'), 'attacker.session.ended'],
    [topics.identity('formed'), 'identity.formed'],
    [topics.campaign('formed'), 'campaign.formed'],
    [topics.credential('reuse.detected'), 'credential.reuse.detected'],
  ])('are built as %s', (built, expected) => {
    expect(built).toBe(expected)
    expect(isTopic(built)).toBe(true)
  })

  it.each([
    ['a dotted id', () => topics.decky('a.b', 'state')],
    ['a dotted event of a decky', () => topics.decky('a', 'x.y')],
    ['an empty worker', () => topics.health('')],
    ['a no-break space', () => topics.control('a\u00a0b')],
    ['an empty event name', () => topics.attacker('')],
    ['a letter outside ASCII', () => topics.deckyMutation('dé')],
    ['a line feed', () => topics.deckyMutation('a\nb')],
    ['a delete character', () => segment('a\x7f')],
    ['a star', () => segment('a*')],
    ['a greater-than sign', () => segment('a>')],
    ['more than fits into a frame', () => segment('a'.repeat(TOPIC_MAX + 1))],
  ])('are refused for %s', (_, build) => {
    expect(build).toThrow(BusError)
  })

  it('never hold what a segment may not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }), (text) => {
        const legal = [...text].every((char) => /[\x21-\x7e]/.test(char) && !'.*>'.includes(char))
        expect(isTopic(`decky.${text}`)).toBe(legal || isTopic(text))
        if (legal) expect(segment(text)).toBe(text)
        else expect(() => segment(text)).toThrow(BusError)
      }),
    )
  })
})

const vectors = new URL(
  '../../../shared/corpus/subjects/nats-subject-vectors.jsonl',
  import.meta.url,
)

/** Where our rules are not those of NATS, and why. */
const DIFFERENT: Record<string, string> = {
  'valid_publish_subject foo**': 'our segments hold no wildcard character at all (strict rule)',
  'valid_publish_subject foo.*bar': 'the same',
  'valid_publish_subject foo>': 'the same',
  'valid_publish_subject foo>bar': 'the same',
  'valid_publish_subject >bar': 'the same',
  'valid_subscription_subject foo**': 'it could match no topic of ours, so it is a mistake',
  'valid_subscription_subject foo.*bar': 'the same',
  'valid_subscription_subject foo>': 'the same',
  'valid_subscription_subject foo.>bar': 'the same',
  'match ..foo': 'deployed peers count empty segments under `>`; no topic of ours has any',
  'match foo..bar': 'the same',
}

describe.skipIf(!existsSync(vectors))('the subject cases of the NATS server', () => {
  const text = existsSync(vectors) ? readFileSync(vectors, 'utf8') : ''
  const cases = text
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as { kind: string; subject: string; pattern: string; expect: boolean },
    )
  const answer: Record<string, (one: { subject: string; pattern: string }) => boolean> = {
    match: ({ subject, pattern }) => matcher(pattern)(subject),
    valid_publish_subject: ({ subject }) => isTopic(subject),
    valid_subscription_subject: ({ subject }) => isPattern(subject),
  }
  const ours = cases.filter(({ kind }) => kind in answer)

  it('are answered alike, but for the listed ones, which are answered the other way', () => {
    expect(ours).toHaveLength(27)
    for (const one of ours) {
      const differs = `${one.kind} ${one.subject}` in DIFFERENT
      expect([one, answer[one.kind]?.(one)]).toEqual([one, differs ? !one.expect : one.expect])
    }
  })
})
