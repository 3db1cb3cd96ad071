/** A capture of packets is to every command what a log file is. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FORMS, pcapOf } from '../sources/pcap/captures.ts'
import { decnet, scratchFolder } from './decnet.ts'

let dir = ''
const COUNT = 700

const pipeline = (source: string, more = '') => `name: frames
description: Frames of a capture
sources:
  packets: { type: pcap${source} }
operators:
  long: { type: filter, inputs: [packets], where: 'data.wire_length > 76' }
sinks:
  out: { type: ndjson_file, inputs: [long], path: out.ndjson }
${more}`

beforeAll(() => {
  dir = scratchFolder()
  for (const [form, make] of FORMS) writeFileSync(join(dir, `capture.${form}`), make(COUNT))
  writeFileSync(join(dir, 'frames.yaml'), pipeline(''))
})
afterAll(() => rmSync(dir, { recursive: true }))

const run = (...args: string[]) => decnet(['pipeline', ...args], { cwd: dir })
const out = (folder: string) => readFileSync(join(dir, folder, 'frames.out.ndjson'), 'utf8')

function replay(capture: string, to: string) {
  const { code, stderr } = run('replay', 'frames.yaml', '--capture', capture, '--sink', to)
  return { code, stderr, text: code === 0 ? out(to) : '' }
}

describe('a capture of packets', () => {
  it.each(FORMS)('gives in a replay what a run on the file gives, ids included: %s', (form) => {
    const name = `run_${form}`
    const text = pipeline(`, file: capture.${form}`).replace('out.ndjson', `${name}.ndjson`)
    writeFileSync(join(dir, `${name}.yaml`), text)
    expect(run('run', `${name}.yaml`, '--state-dir', `state_${form}`).code).toBe(0)
    const { code, text: replayed } = replay(`capture.${form}`, `replay_${form}`)
    expect(code).toBe(0)
    expect(replayed).toBe(readFileSync(join(dir, `${name}.ndjson`), 'utf8'))
    expect(replayed.split('\n').length - 1).toBe(400)
  })

  it('gives the same whatever the batch size, and diff finds nothing', () => {
    const capture = 'capture.pcap'
    expect(replay(capture, 'one').code).toBe(0)
    const args = ['--capture', capture, '--sink', 'other', '--batch-size', '7']
    expect(run('replay', 'frames.yaml', ...args).code).toBe(0)
    expect(out('other')).toBe(out('one'))
    expect(run('diff', 'one', 'other').code).toBe(0)
  })

  it('is replayed from what another replay wrote of it', () => {
    const args = ['--capture', 'capture.pcap', '--sink', 'tapped', '--tap', 'packets']
    const { code, stderr } = run('replay', 'frames.yaml', ...args)
    expect(code, stderr).toBe(0)
    writeFileSync(join(dir, 'events.ndjson'), out('tapped'))
    expect(replay('events.ndjson', 'again').text).toBe(out('tapped'))
  })

  it('is where an explanation begins', () => {
    expect(replay('capture.pcap', 'explained').code).toBe(0)
    const { id } = JSON.parse(out('explained').split('\n')[0] ?? '')
    const { code, stdout, stderr } = run('explain-event', id, '--run', 'explained')
    expect(code, stderr).toBe(0)
    expect(stdout).toContain('packets (pcap): read\n  long (filter): passed')
  })

  it('survives being killed anywhere', () => {
    const args = ['--capture', 'capture.pcap', '--kills', '1', '--batch-size', '350', '-o', 'json']
    const { code, stdout, stderr } = run('chaos', 'frames.yaml', ...args)
    expect(code, stderr).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.repeating).toEqual([])
    for (const { kills, recovered } of report.boundaries) expect(recovered).toBe(kills)
  }, 120_000)

  it('is the input of a test in the pipeline file', () => {
    const tests = `tests:
  - name: three of the first six frames are longer
    from_capture: { packets: { file: capture.gzip, limit: 6 } }
    expect: { long: [{ data: { wire_length: 77 } }, {}, {}] }
  - name: the whole capture
    from_capture: capture.pcapng
    expect: { long: [${Array(400).fill('{}').join(', ')}] }
  - name: an event as a line
    send: { packets: ['{"topic":"pcap.packet","time":5,"data":{"wire_length":90}}'] }
    expect: { long: [{ time: 5 }] }
`
    writeFileSync(join(dir, 'tested.yaml'), pipeline('', tests))
    const { code, stdout, stderr } = run('test', 'tested.yaml')
    expect(code, stdout + stderr).toBe(0)
  })

  it('may be journalled, and the journal be replayed', () => {
    const text = pipeline(', file: capture.pcap, journal: true').replace('out.ndjson', 'j.ndjson')
    writeFileSync(join(dir, 'journalled.yaml'), text)
    expect(run('run', 'journalled.yaml', '--state-dir', 'state_j').code).toBe(0)
    const ran = readFileSync(join(dir, 'j.ndjson'), 'utf8')
    expect(ran).toBe(replay('capture.pcap', 'for_journal').text)
    const args = ['--capture', 'state_j/frames.journal', '--sink', 'from_journal']
    expect(run('replay', 'journalled.yaml', ...args).code).toBe(0)
    expect(out('from_journal')).toBe(ran)
  })

  it('that was cut is replayed as far as it goes, with a warning', () => {
    writeFileSync(join(dir, 'cut.pcap'), pcapOf(COUNT).subarray(0, -1))
    const { code, stderr, text } = replay('cut.pcap', 'cut')
    expect(code).toBe(0)
    expect(stderr).toMatch(/truncated capture at byte \d+/)
    expect(text.split('\n').length).toBeGreaterThan(290)
  })

  it('that is none is refused, by a run for good', () => {
    writeFileSync(join(dir, 'text'), 'no capture\n')
    const replayed = replay('text', 'none')
    expect(replayed).toMatchObject({ code: 1 })
    expect(replayed.stderr).toContain('error[CAPTURE]: cannot read capture text: unsupported')
    writeFileSync(join(dir, 'bad.yaml'), pipeline(', file: text'))
    const { code, stderr } = run('run', 'bad.yaml', '--state-dir', 'state_bad')
    expect(code).toBe(78)
    expect(stderr).toContain(
      'error[CAPTURE_FORMAT]: cannot read "text": unsupported capture format',
    )
  })

  it('is the one input of its source, says validate', () => {
    writeFileSync(join(dir, 'two.yaml'), pipeline(', file: capture.pcap, interface: eth0'))
    const { code, stdout, stderr } = run('validate', 'two.yaml')
    expect(code).toBe(78)
    expect(stdout + stderr).toMatch(
      /two\.yaml:4:3: error\[CONFIG\]: source "packets": takes one of file and interface, not both/,
    )
  })
})
