import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { route } from '../../operators/route.ts'

const routes = { shell: 'data.service == "ssh"', inside: 'data.ip.startsWith("192.0.2.")' }
const ports = (out: readonly { port?: string }[]) => out.map(({ port }) => port)

describe('route', () => {
  it('sends an event out of the first port that fits', () => {
    const run = harness(route, { routes })
    const out = run.send(
      { data: { service: 'ssh', ip: '192.0.2.1' } },
      { data: { service: 'ftp', ip: '192.0.2.1' } },
      { data: { service: 'ftp', ip: '203.0.113.1' } },
    )
    expect(ports(out)).toEqual(['shell', 'inside', 'unmatched'])
  })

  it('sends it out of every port that fits, unchanged, when told to', () => {
    const run = harness(route, { routes, mode: 'all' })
    const event = {
      id: 'a'.repeat(32),
      topic: 't',
      time: 5,
      data: { service: 'ssh', ip: '192.0.2.1' },
    }
    expect(run.send(event)).toEqual([
      { ...event, port: 'shell' },
      { ...event, port: 'inside' },
    ])
  })

  it('drops what fits nowhere when told to, and then has no port for it', () => {
    const run = harness(route, { routes, otherwise: 'drop' })
    expect(run.send({ data: { service: 'ftp', ip: '203.0.113.1' } })).toEqual([])
    expect(run.errors).toEqual([])
  })

  it('sends an event a condition cannot be worked out for to the error port only', () => {
    const run = harness(route, { routes, mode: 'all' })
    expect(run.send({ data: { service: 'ssh' } })).toEqual([])
    expect(run.errors).toMatchObject([{ data: { code: 'CEL_EVALUATION' } }])
  })

  it.each([
    [{}],
    [{ errors: 'true' }],
    [{ unmatched: 'true' }],
    [{ 'Not-A-Name': 'true' }],
    [{ '': 'true' }],
    [{ __proto__x: 'true' }],
    [{ shell: '1 + 1' }],
  ])('refuses the routes %j', (wrong) => {
    expect(() => harness(route, { routes: wrong })).toThrow(
      expect.objectContaining({ code: 'CONFIG' }),
    )
  })
})
