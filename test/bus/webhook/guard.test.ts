import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../../bus/webhook/addresses.ts'
import { webhookGuard } from '../../../bus/webhook/guard.ts'
import { parseHosts, type ResolveName } from '../../../bus/webhook/host_names.ts'
import {
  isSimpleEvent,
  mergePatterns,
  simpleEventsOf,
  wrongPattern,
} from '../../../bus/webhook/presets.ts'
import { webhookSettings } from '../../../bus/webhook/settings.ts'

const nobody = async (): Promise<readonly string[]> => {
  throw Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' })
}
const guard = (resolve: ResolveName = nobody, allowPrivate = false) =>
  webhookGuard({ allowPrivate, now: () => 0, resolve })
const REFUSED = expect.objectContaining({ code: 'WEBHOOK_REFUSED' })

describe('an address', () => {
  // First and last of each range of spec/webhooks.md section 7.
  it.each([
    ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '127.0.0.1', '127.255.255.255'],
    ...['169.254.0.0', '169.254.169.254', '172.16.0.0', '172.31.255.255', '192.0.0.0'],
    ...['192.0.0.255', '192.0.2.1', '192.168.0.0', '192.168.255.255', '198.18.0.0'],
    ...['198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.0', '239.255.255.255'],
    ...['240.0.0.0', '255.255.255.255', '100.64.0.0', '100.127.255.255'],
    ...[
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:93.184.216.34',
      'ff::1',
      '64:ff9b::1.2.3.4',
      '64:ff9b:1::1',
    ],
    ...['100::1', 'fc00::1', 'fdff::1', 'fe80::1', 'febf::1', 'fec0::1', 'feff::1', 'ff02::1'],
    ...['2001::1', '2001:1ff::1', '2001:db8::1', '2002::1', '2002:7f00:1::', '3fff::1'],
    ...[
      '3fff:fff:ffff::1',
      'fe80::1%eth0',
      '2606:4700::1%eth0',
      '',
      'localhost',
      '1.2.3',
      '0x7f.1',
    ],
  ])('%s is no receiver', (address) => expect(isPublicAddress(address)).toBe(false))

  it.each([
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
    ...['191.255.255.255', '192.0.1.0', '192.0.3.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0', '203.0.112.255', '223.255.255.255', '93.184.216.34'],
    ...[
      '2606:4700::1111',
      '2001:200::1',
      '2003::1',
      '2a00::1',
      '3ffe::1',

      '101::1',
    ],
  ])('%s may be one', (address) => expect(isPublicAddress(address)).toBe(true))
})

describe('a URL', () => {
  it.each([
    ...['http://127.0.0.1/', 'http://127.1/', 'http://2130706433/', 'http://0x7f.1/'],
    ...['http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/latest', 'http://10.0.0.1/'],
    ...['ftp://x/', 'http:///x', 'http:x', '//x/', '', 'http://', 'http://?x', 'javascript:1'],
    ...['http://93.184.216.34:0/', 'http://93.184.216.34:65536/', 'http://93.184.216.34:x/'],
    ...[
      'http:\\\\93.184.216.34\\',
      'http://93.184.216.34 /',
      ' http://93.184.216.34/',
      'http://a\n/',
    ],
    ...['http://0177.0.0.1/', 'http://１２７.0.0.1/', 'http://[::1]/', 'http://[fe80::1]/'],
    // Zones, mapped and translated addresses, login names, ports, dots, other scripts' digits.
    ...['http://[fe80::1%25eth0]/', 'http://[fe80::1%eth0]/', 'http://[::1%25lo]/'],
    ...['http://[2606:4700::1111%25eth0]/', 'http://[::ffff:7f00:1]/', 'http://[::ffff:a00:1]/'],
    ...['http://[::7f00:1]/', 'http://[::127.0.0.1]/', 'http://[0:0:0:0:0:ffff:127.0.0.1]/'],
    ...['http://[::ffff:0:127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://[2002:7f00:1::]/'],
    ...['http://[::]/', 'http://[ff02::1]/', 'http://[fd00:ec2::254]/', 'http://[fec0::1]/'],
    ...['http://a:b@127.0.0.1/', 'http://93.184.216.34@127.0.0.1/', 'http://@127.0.0.1/'],
    ...['http://127.0.0.1#@93.184.216.34/', 'http://127.0.0.1?@93.184.216.34/'],
    ...['http://93.184.216.34:00/', 'http://93.184.216.34:-1/', 'http://93.184.216.34:1e3/'],
    ...['http://127.0.0.1./', 'http://127.0.0.1../', 'http://169.254.169.254./', 'http://./'],
    ...['http://localhost/', 'http://localhost./', 'http://LOCALHOST/', 'http://ｌocalhost/'],
    ...[
      'http://①②⑦.⓪.⓪.①/',
      'http://127。0。0。1/',
      'http://127%2e0%2e0%2e1/',
      'http://%31%32%37.1/',
    ],
    ...['http://0/', 'http://0x0/', 'http://0.0.0.0/', 'http://00/', 'http://0x7f000001/'],
    ...['http://017700000001/', 'http://0177.1/', 'http://127.0.1/', 'http://0xa9.0xfe.0xa9.0xfe/'],
    ...['http://2852039166/', 'http://4294967296/', 'http://256.1.1.1/', 'http://1.2.3.4.5/'],
    ...[
      'http://ex%00ample/',
      'http://exa\u00admple..com/',
      'http://xn--/',
      'http://[/',
      'http://[]/',
    ],
    ...['//93.184.216.34/', 'http:/93.184.216.34/', 'http:93.184.216.34', 'http:///93.184.216.34/'],
    ...['file:///etc/passwd', 'gopher://93.184.216.34/', 'unix:/run/x', 'ws://93.184.216.34/'],
    ...['http://unknown.example/', `http://93.184.216.34/${'a'.repeat(2048)}`],
  ])('%j is refused', async (url) => {
    await expect(guard().register(url)).rejects.toThrow(REFUSED)
  })

  it.each([
    ['http://93.184.216.34:8080/x', 'http://93.184.216.34:8080/x'],
    ['HTTPS://93.184.216.34', 'https://93.184.216.34/'],
    ['https://[2606:4700::1111]:8443/a?b#c', 'https://[2606:4700::1111]:8443/a?b'],
    ['http://user:pass@93.184.216.34/', 'http://user:pass@93.184.216.34/'],
    ['http://93.184.216.34./', 'http://93.184.216.34/'],
    ['http://0x5db8d822/', 'http://93.184.216.34/'],
    ['https://93.184.216.34:443/', 'https://93.184.216.34/'],
    ['http://93.184.216.34:65535/', 'http://93.184.216.34:65535/'],
  ])('%s is kept as %s', async (url, kept) => expect(await guard().register(url)).toBe(kept))

  it('is kept by a name whose addresses are all public', async () => {
    const names: Record<string, readonly string[]> = {
      'siem.example': ['93.184.216.34', '2606:4700::1111'],
      'half.example': ['93.184.216.34', '10.0.0.1'],
      'none.example': [],
      'odd.example': ['not an address'],
      'many.example': Array.from({ length: 65 }, () => '93.184.216.34'),
    }
    const resolving = guard(async (name) => names[name] ?? nobody())
    expect(await resolving.register('https://SIEM.example')).toBe('https://siem.example/')
    for (const name of ['half', 'none', 'odd', 'many']) {
      await expect(resolving.register(`https://${name}.example`)).rejects.toThrow(REFUSED)
    }
  })

  it('is asked for by its name as it is on the wire, a last dot and other scripts included', async () => {
    const asked: string[] = []
    const resolving = guard(async (name) => {
      asked.push(name)
      return ['93.184.216.34']
    })
    expect(await resolving.register('https://Bücher.example./x')).toBe(
      'https://xn--bcher-kva.example./x',
    )
    expect(await resolving.register('https://ｓｉｅｍ.example')).toBe('https://siem.example/')
    expect(asked).toEqual(['xn--bcher-kva.example.', 'siem.example'])
  })

  it('is refused for any address of any range that is not public, however many are', async () => {
    const ranges4: readonly (readonly [string, number])[] = [
      ...([
        ['0.0.0.0', 8],
        ['10.0.0.0', 8],
        ['100.64.0.0', 10],
        ['127.0.0.0', 8],
      ] as const),
      ...([
        ['169.254.0.0', 16],
        ['172.16.0.0', 12],
        ['192.0.0.0', 24],
        ['192.0.2.0', 24],
      ] as const),
      ...([
        ['192.168.0.0', 16],
        ['198.18.0.0', 15],
        ['198.51.100.0', 24],
      ] as const),
      ...([
        ['203.0.113.0', 24],
        ['224.0.0.0', 4],
        ['240.0.0.0', 4],
      ] as const),
    ]
    const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + +part, 0)
    const dotted = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.')
    const inside = fc
      .constantFrom(...ranges4)
      .chain(([net, prefix]) =>
        fc.nat(2 ** (32 - prefix) - 1).map((offset) => number(net) + offset),
      )
    const spellings = (n: number): readonly string[] => {
      const hex = n.toString(16).padStart(8, '0')
      const [high, low] = [hex.slice(0, 4), hex.slice(4)]
      const octal = [24, 16, 8, 0].map((shift) => `0${((n >>> shift) & 255).toString(8)}`)
      return [
        ...[dotted(n), String(n), `0x${hex}`, octal.join('.'), `${dotted(n)}.`],
        ...[`[::ffff:${dotted(n)}]`, `[::ffff:${high}:${low}]`, `[::${high}:${low}]`],
        ...[`[64:ff9b::${high}:${low}]`, `[2002:${high}:${low}::1]`],
      ]
    }
    await fc.assert(
      fc.asyncProperty(inside, async (n) => {
        expect(isPublicAddress(dotted(n))).toBe(false)
        for (const host of spellings(n)) {
          await expect(guard().register(`http://${host}/`)).rejects.toThrow(REFUSED)
        }
        const mixed = guard(async () => ['93.184.216.34', dotted(n)])
        await expect(mixed.register('http://half.example/')).rejects.toThrow(REFUSED)
      }),
    )
  })

  it('may lead to a private address where that is allowed, and to nothing else', async () => {
    const open = guard(nobody, true)
    expect(await open.register('https://127.0.0.1/x')).toBe('https://127.0.0.1/x')
    await expect(open.register('ftp://x/')).rejects.toThrow(REFUSED)
    await expect(open.register('https://unknown.example/')).rejects.toThrow(REFUSED)
    const allowed = (word: string) =>
      webhookSettings({ DECNET_WEBHOOK_ALLOW_PRIVATE: word }).allowPrivate
    expect(['true', 'TRUE'].map(allowed)).toEqual([true, true])
    expect(['1', 'yes', 'on', '', ' true'].map(allowed)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
  })

  it('is refused without a word of its credentials', async () => {
    const failed = guard().register('http://user:hunter2@10.0.0.1/')
    await expect(failed).rejects.not.toThrow(/hunter2/)
  })
})

describe('the threshold of the breaker', () => {
  it.each([
    [undefined, 5],
    ['', 5],
    ['3', 3],
    ['0', 1],
    ['-7', 1],
    ['x', 5],
  ])('given as %s is %i', (DECNET_WEBHOOK_CIRCUIT_THRESHOLD, threshold) => {
    expect(webhookSettings({ DECNET_WEBHOOK_CIRCUIT_THRESHOLD }).threshold).toBe(threshold)
  })
})

describe('a hosts file', () => {
  it('gives every address of a name, whatever else is in it', () => {
    const text =
      '127.0.0.1 localhost # not me\n\n::1\tlocalhost  ip6\nnonsense x\n10.0.0.9 SIEM.lan\n'
    expect([...parseHosts(text)]).toEqual([
      ['localhost', ['127.0.0.1', '::1']],
      ['ip6', ['::1']],
      ['siem.lan', ['10.0.0.9']],
    ])
  })
})

describe('presets of topics', () => {
  it('come before raw patterns, each once', () => {
    expect(mergePatterns(['SystemStatus', 'AttackerDetail'], ['attacker.>', 'x.*', ''])).toEqual([
      'system.>',
      'attacker.>',
      'x.*',
    ])
    expect(mergePatterns(['DeckyStatus'], [1, null])).toEqual(['decky.*.state', 'decky.*.traffic'])
    expect(mergePatterns([], [])).toEqual([])
  })

  it('are ticked only where they are all there is', () => {
    expect(simpleEventsOf(['attacker.>', 'system.>'])).toEqual(['AttackerDetail', 'SystemStatus'])
    expect(simpleEventsOf(['attacker.>', 'x.*'])).toEqual([])
    expect(simpleEventsOf(['decky.*.state'])).toEqual([])
    expect(['AttackerDetail', 'toString', 1].map(isSimpleEvent)).toEqual([true, false, false])
  })

  it('stand beside patterns that can match something', () => {
    expect(wrongPattern(['attacker.>', '>', '*', 'a.*.b'])).toBeUndefined()
    for (const wrong of ['a..b', 'a.', '.a', 'a.>.b', 'a b', 'a*', '', 'é']) {
      expect(wrongPattern(['>', wrong])).toBe(wrong)
    }
  })
})
