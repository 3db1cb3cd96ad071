import { describe, expect, it } from 'vitest'
import { harness } from '../../engine/harness.ts'
import { dedup } from '../../operators/dedup.ts'
import { sequenceClass } from '../../operators/sequence_class.ts'
import { withAndWithoutCrashes } from './after_crashes.ts'

interface Numbers {
  readonly ip_id?: number
  readonly isn?: number
  readonly src_ip?: string
  readonly src_port?: number
  readonly ip_version?: string
  readonly time?: number
}

/** The part of a SYN event that is looked at; each from a port of its own. */
const syn = (numbers: Numbers, n = 0) => ({
  topic: 'sniffer.tcp_syn_fingerprint',
  time: numbers.time ?? 1000 + n * 1000,
  data: {
    src_ip: numbers.src_ip ?? '198.51.100.7',
    src_port: String(numbers.src_port ?? 40_000 + n),
    dst_ip: `192.0.2.${10 + (n % 3)}`,
    dst_port: '22',
    ip_version: numbers.ip_version ?? '4',
    ip_id: String(numbers.ip_id ?? 0),
    isn: String(numbers.isn ?? n * 7_000_000),
    os_guess: 'linux',
    options_sig: 'M',
  },
})

const ipIdClasses = (ids: readonly number[], config = {}) =>
  harness(sequenceClass, config)
    .send(...ids.map((ip_id, n) => syn({ ip_id }, n)))
    .map(({ data }) => data.ipid_class)

/** Numbers that no rule fits, from the fourth on. */
const ANY_ISN = [9, 4_000_000_000, 17, 2_000_000_000, 5, 900_000_000]
const anyIsn = (n: number) => (ANY_ISN[n % 6] as number) + n

describe('sequence_class', () => {
  it.each([
    [[1, 2, 3], 'unknown'],
    [[0, 0, 0, 0], 'zero'],
    [[7, 7, 7, 7], 'constant'],
    [[0, 1, 2, 3], 'incremental'],
    [[100, 4196, 8292, 12_388], 'incremental'],
    [[100, 4197, 8292, 12_388], 'random'],
    [[500, 400, 300, 200], 'random'],
    [[5, 5, 6, 7], 'random'],
    [[0, 0, 0, 1], 'random'],
    [[65_530, 65_533, 0, 3], 'incremental'],
  ])('calls the IP-IDs %j %s', (ids, expected) => {
    expect(ipIdClasses(ids).at(-1)).toBe(expected)
  })

  it('calls a counter that starts over random when told to', () => {
    expect(ipIdClasses([65_530, 65_533, 0, 3], { wrap_aware: false }).at(-1)).toBe('random')
  })

  it('sees initial sequence numbers start over at 2^32', () => {
    const isns = [2 ** 32 - 10, 2 ** 32 - 5, 3, 9]
    const out = harness(sequenceClass).send(...isns.map((isn, n) => syn({ isn }, n)))
    expect(out.at(-1)?.data).toMatchObject({ isn_class: 'incremental', isn_samples: '4' })
  })

  it('looks at the last eight, whichever decky and port they went to', () => {
    const ids = [10, 11, 12, 13, 14, 50_000, 15, 16, 17, 18, 19, 20, 21, 22]
    expect(ipIdClasses(ids)).toEqual([
      ...Array(3).fill('unknown'),
      ...Array(2).fill('incremental'),
      ...Array(8).fill('random'),
      'incremental',
    ])
  })

  it('makes three events of fourteen SYNs behind dedup: at the first, fourth and sixth', () => {
    const ids = [10, 11, 12, 13, 14, 50_000, 15, 16, 17, 18, 19, 20, 21, 22]
    const syns = ids.map((ip_id, n) => syn({ ip_id, isn: anyIsn(n) }, n))
    const fresh = harness(dedup, {
      window: '300s',
      keys: {
        'sniffer.tcp_syn_fingerprint': [
          ...['src_ip', 'os_guess', 'options_sig', 'ipid_class', 'isn_class'].map(
            (name) => `data.${name}`,
          ),
        ],
      },
    })
    const out = fresh.send(...harness(sequenceClass).send(...syns))
    expect(out.map(({ time }) => (time - 1000) / 1000 + 1)).toEqual([1, 4, 6])
    expect(out.map(({ data }) => [data.ipid_class, data.isn_class])).toEqual([
      ['unknown', 'unknown'],
      ['incremental', 'random'],
      ['random', 'random'],
    ])
  })

  describe('of a SYN that comes again', () => {
    const again = [0, 1, 2, 3].map((n) =>
      syn({ isn: 0xcafebabe, ip_id: n, src_port: 4000, time: 1000 * 2 ** n }, 0),
    )

    it('takes one sample, so that no retransmission looks like a constant', () => {
      const out = harness(sequenceClass).send(...again)
      expect(out.map(({ data }) => [data.isn_samples, data.isn_class])).toEqual(
        Array(4).fill(['1', 'unknown']),
      )
    })

    it('takes each for a sample when told to', () => {
      const out = harness(sequenceClass, { skip_retransmit: false }).send(...again)
      expect(out.at(-1)?.data).toMatchObject({ isn_samples: '4', isn_class: 'constant' })
    })

    it('takes it for new after a minute', () => {
      const at = (time: number) => ({ ...syn({ isn: 5, src_port: 1 }), time })
      const out = harness(sequenceClass).send(at(1000), at(61_000), at(121_001), at(200_000))
      expect(out.map(({ data }) => data.isn_samples)).toEqual(['1', '1', '2', '3'])
    })

    it('keeps apart what differs in a port alone', () => {
      const out = harness(sequenceClass).send(
        ...[1, 2, 3, 4].map((src_port) => syn({ isn: 9, src_port })),
      )
      expect(out.at(-1)?.data).toMatchObject({ isn_samples: '4', isn_class: 'constant' })
    })
  })

  it('knows no IP-ID of IPv6', () => {
    const out = harness(sequenceClass).send(
      ...[0, 1, 2, 3].map((n) => syn({ ip_version: '6', isn: 77 }, n)),
    )
    expect(out.at(-1)?.data).toMatchObject({
      ipid_class: 'unknown',
      ipid_samples: '0',
      isn_class: 'constant',
    })
  })

  it('never holds more than eight samples, and 64 SYNs', async () => {
    const run = harness(sequenceClass)
    run.send(...Array.from({ length: 5000 }, (_, n) => syn({ isn: n, time: 1000 + n }, n)))
    run.crashAndRestore()
    expect(run.state?.bytes).toBeLessThan(4096)
    const out = run.send(syn({ time: 7000 }, 6000))
    expect(out[0]?.data).toMatchObject({ ipid_samples: '8', isn_samples: '8' })
  })

  it('keeps sources apart, forgets the one unheard of for longest, and one idle for an hour', () => {
    const run = harness(sequenceClass, { max_keys: 2, ttl: '1h' })
    const samples = (src_ip: string, time: number, n: number) =>
      run.send(syn({ src_ip, time, isn: n }, n))[0]?.data.isn_samples
    expect([samples('a', 1, 1), samples('b', 2, 2), samples('a', 3, 3)]).toEqual(['1', '1', '2'])
    expect([samples('c', 4, 4), samples('a', 5, 5), samples('b', 6, 6)]).toEqual(['1', '3', '1'])
    expect(run.state).toMatchObject({ keys: 2, evictedByCount: 2 })
    expect(samples('b', 3_600_006, 7)).toBe('1')
  })

  it('says the same after a crash anywhere', () => {
    const events = [10, 11, 12, 13, 14, 50_000, 15, 15, 16].map((ip_id, n) =>
      syn({ ip_id, isn: anyIsn(n - (n % 2)), src_port: 5000 + n - (n % 2) }, n),
    )
    const { straight, crashing } = withAndWithoutCrashes(sequenceClass, {}, events, 1e6)
    expect(straight).toHaveLength(events.length)
    expect(crashing).toEqual(straight)
  })

  it('sends what is no SYN event to the error port', () => {
    const run = harness(sequenceClass)
    expect(run.send({ data: { src_ip: 'a' } })).toEqual([])
    expect(run.errors).toHaveLength(1)
  })
})
