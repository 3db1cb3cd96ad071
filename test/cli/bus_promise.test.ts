import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decnet } from './decnet.ts'

const dir = mkdtempSync(join(tmpdir(), 'decnet-promise-'))
afterAll(() => rmSync(dir, { recursive: true }))

function validate(bus: string, more = '') {
  const file = join(dir, 'relay.yaml')
  writeFileSync(
    file,
    `name: relay
description: What one topic says, on another
sources:
  heard: { type: bus, patterns: [attacker.>]${more} }
operators:
  once: { type: dedup, inputs: [heard], key: [data.attacker_ip], window: 1s, max_keys: 1000, ttl: 60s }
sinks:
  said: { type: bus, inputs: [once], topic: identity.formed }
`,
  )
  const run = decnet(['pipeline', 'validate', file], {
    env: { DECNET_BUS_TYPE: bus },
  })
  expect(run.code, run.stderr).toBe(0)
  return run.stderr + run.stdout
}

describe('what validate says of the bus', () => {
  it('is that a crash loses what is in flight, but not over NATS', () => {
    expect(validate('unix')).toContain('NOT_REPLAYABLE')
    expect(validate('unix')).toContain('said: at most once')
    const overNats = validate('nats')
    expect(overNats).not.toContain('NOT_REPLAYABLE')
    expect(overNats).toContain('said: at least once')
    expect(overNats).not.toContain('LOCAL_STATE')
  })

  it('is that state stays where it is while its input moves between processes', () => {
    expect(validate('nats', ', partitions: 16')).toContain('LOCAL_STATE')
  })
})
