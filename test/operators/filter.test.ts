import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { filter } from '../../operators/filter.ts'

describe('filter', () => {
  it('passes on the very events the condition is true of', () => {
    const run = harness(filter, { where: 'data.service == "ssh" && time >= 1000.0' })
    const out = run.send(
      { id: 'a'.repeat(32), topic: 't.x', time: 1000, data: { service: 'ssh' } },
      { time: 999, data: { service: 'ssh' } },
      { time: 2000, data: { service: 'ftp' } },
    )
    expect(out).toEqual([
      { id: 'a'.repeat(32), topic: 't.x', time: 1000, data: { service: 'ssh' } },
    ])
    expect(run.errors).toEqual([])
  })

  it('sends an event without the key asked for to the error port, and goes on', () => {
    const run = harness(filter, { where: 'data.service == "ssh"' })
    expect(run.send({ data: {} }, { data: { service: 'ssh' } })).toHaveLength(1)
    expect(run.errors).toMatchObject([{ data: { code: 'CEL_EVALUATION' } }])
  })

  it.each([1, 'true', null, [true]])('takes no %j for true', (value) => {
    const run = harness(filter, { where: 'data.x' })
    expect(run.send({ data: { x: value } }, { data: { x: true } })).toHaveLength(1)
    expect(run.errors).toMatchObject([{ data: { code: 'CEL_TYPE' } }])
  })

  it('puts no text of an attacker into an error unquoted', () => {
    const run = harness(filter, { where: 'data[data.name] == "x"' })
    run.send({ data: { name: '\x1b[31m\nforged' } })
    const [error] = run.errors
    expect(error?.data.message).not.toMatch(/[^\x20-\x7e…]/)
    expect(error?.data.message).toContain('forged')
  })
})
