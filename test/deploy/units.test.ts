import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { pipelineUnit } from '../../cli/unit_pipelines.ts'
import { hostUnits, pipelineUnitText } from '../../deploy/units.ts'
import { HOST, PIPELINE } from './host.ts'
import { exposure, hasSystemdTools, verify, writeUnits } from './systemd.ts'

const lines = (text: string): string[] => text.split('\n')
const withUnit = (unit: object, more: object = {}) =>
  lines(pipelineUnitText({ ...PIPELINE, ...more, unit: { ...PIPELINE.unit, ...unit } }, HOST))

describe('the unit of a pipeline', () => {
  it('starts it by name, after it has been checked, and tells systemd', () => {
    const unit = withUnit({})
    for (const line of [
      'Type=notify',
      'ExecStartPre=-/srv/decnet/venv/bin/decnet pipeline validate reuse-correlator',
      'ExecStart=/srv/decnet/venv/bin/decnet pipeline run reuse-correlator',
      'RestartPreventExitStatus=64 78',
      'PartOf=decnet.target',
      'WatchdogSec=30',
      'User=u1',
      'Group=g1',
      'LoadCredential=db_password:decnet.db_password',
    ]) {
      expect(unit).toContain(line)
    }
  })

  it('has no right that the pipeline does not ask for', () => {
    const unit = withUnit({})
    expect(unit.filter((line) => line.startsWith('CapabilityBoundingSet'))).toEqual([
      'CapabilityBoundingSet=',
    ])
    expect(unit.filter((line) => line.startsWith('AmbientCapabilities'))).toEqual([
      'AmbientCapabilities=',
    ])
    expect(
      unit.filter((line) => /^(SupplementaryGroups|ReadWritePaths|MemoryMax)/.test(line)),
    ).toEqual([])
    expect(unit.some((line) => line.startsWith('MemoryDenyWriteExecute'))).toBe(false)
  })

  it('has what it asks for', () => {
    const unit = withUnit({
      user: 'other',
      capabilities: ['CAP_NET_RAW'],
      groups: ['docker'],
      address_families: ['AF_PACKET'],
      requires: ['docker.service'],
      writable_paths: ['/srv/out'],
      memory_max: 1024,
      watchdog: 3500,
      home: true,
    })
    for (const line of [
      'User=other',
      'CapabilityBoundingSet=CAP_NET_RAW',
      'AmbientCapabilities=CAP_NET_RAW',
      'SupplementaryGroups=docker',
      'RestrictAddressFamilies=AF_PACKET',
      'Requires=docker.service',
      'After=docker.service',
      'ReadWritePaths=-/srv/out',
      'MemoryMax=1024',
      'WatchdogSec=4',
      'ProtectHome=read-only',
    ]) {
      expect(unit).toContain(line)
    }
  })

  it('gives a stop more time than its drain takes', () => {
    expect(withUnit({}, { shutdownTimeout: 60_500 })).toContain('TimeoutStopSec=71')
  })

  it('names the secrets it may read, and nothing of them', () => {
    const unit = withUnit({}, { secrets: ['api_key'] })
    expect(unit).toContain('LoadCredential=api_key:decnet.api_key')
  })

  it('keeps a percent sign from being a specifier', () => {
    expect(withUnit({ description: '100% of %h' })).toContain('Description=100%% of %%h')
  })

  it.each(['two\nlines', 'a "quote"', "it's", 'back\\slash', '{{user}}', '\u0085', ''])(
    'refuses the description %j',
    (description) => expect(() => withUnit({ description })).toThrow(/description/),
  )

  it('refuses to take the place of the bus', () => {
    expect(() => pipelineUnitText({ ...PIPELINE, name: 'bus' }, HOST)).toThrow(/replace/)
  })
})

const shipped = ['ingest', 'correlate', 'cowrie'].flatMap((name) => {
  const file = `pipelines/${name}.yaml`
  return pipelineUnit(file, readFileSync(file, 'utf8')) ?? []
})

it('leaves nothing of the defaults in what another host gets', () => {
  const all = [...hostUnits([...shipped, PIPELINE], HOST).values()].join('\n')
  expect(all).not.toMatch(/\/opt\/decnet|User=decnet|Group=decnet|\{\{|undefined/)
})

it('starts every unit with the target', () => {
  const units = hostUnits([PIPELINE], HOST)
  expect(
    lines(units.get('decnet.target') ?? '').filter((line) => line.startsWith('Wants=')),
  ).toEqual(['Wants=decnet-bus.service', 'Wants=decnet-reuse-correlator.service'])
})

describe.runIf(hasSystemdTools())('systemd', () => {
  const units = hostUnits(shipped, HOST)
  const folder = writeUnits(units, HOST.runtimeDir)
  const services = [...units.keys()].filter((name) => name.endsWith('.service'))

  it('finds nothing wrong with the units', () => {
    expect(verify(folder, [...units.keys()])).toBe('')
  })

  it('would find something wrong', () => {
    const wrong = new Map([['decnet-x.service', '[Service]\nExecStart=relative\nNoSuchKey=1\n']])
    expect(verify(writeUnits(wrong, HOST.runtimeDir), ['decnet-x.service'])).toMatch(/NoSuchKey/)
  })

  it.each(services)('gives %s an exposure level under 2.0', (name) => {
    expect(exposure(folder, name)).toBeLessThan(2)
  })

  it('finds a unit with raw sockets little worse', () => {
    const unit = {
      ...PIPELINE.unit,
      capabilities: ['CAP_NET_RAW'],
      address_families: ['AF_PACKET'],
    }
    const one = hostUnits([{ ...PIPELINE, unit }], HOST)
    const with_raw = writeUnits(one, HOST.runtimeDir)
    expect(verify(with_raw, [...one.keys()])).toBe('')
    expect(exposure(with_raw, 'decnet-reuse-correlator.service')).toBeLessThan(2.5)
  })
})
