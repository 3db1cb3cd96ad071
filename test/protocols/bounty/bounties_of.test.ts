import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bountiesOf } from '../../../protocols/bounty/bounties_of.ts'
import { type IpNetwork, parseNetwork } from '../../../protocols/ip_network.ts'

const record = (service: string, event_type: string, fields: unknown, attacker_ip = '8.8.4.4') => ({
  attacker_ip,
  decky: 'web-02',
  service,
  event_type,
  fields,
})
const finds = (
  service: string,
  event_type: string,
  fields: Readonly<Record<string, unknown>>,
  trusted: readonly IpNetwork[] = [],
) => bountiesOf(record(service, event_type, fields), trusted)
const payloads = (...of: Parameters<typeof finds>) => finds(...of).map(({ payload }) => payload)
const typesOf = (...of: Parameters<typeof finds>) =>
  finds(...of).map(({ bounty_type, payload }) => payload.fingerprint_type ?? bounty_type)
const blocks = (text: string) => text.split(' ').flatMap((one) => parseNetwork(one) ?? [])

const CURL = {
  Host: 'shop.example',
  'User-Agent': 'curl/8.5.0',
  Accept: '*/*',
  'X-Forwarded-For': '1.1.1.1, 10.0.0.1',
}
const request = (headers: object, more = {}) => ({
  headers: JSON.stringify(headers),
  method: 'GET',
  path: '/admin',
  remote_port: '4711',
  ...more,
})

describe('a request', () => {
  it('tells of its program, of the address behind a proxy and of its headers', () => {
    expect(finds('http', 'request', request(CURL))).toEqual([
      {
        bounty_type: 'fingerprint',
        attacker_ip: '8.8.4.4',
        service: 'http',
        decky: 'web-02',
        payload: {
          fingerprint_type: 'http_useragent',
          value: 'curl/8.5.0',
          category: 'cli',
          tool: 'curl',
          signals: null,
        },
      },
      {
        bounty_type: 'ip_leak',
        attacker_ip: '8.8.4.4',
        service: 'http',
        decky: 'web-02',
        payload: {
          source_ip: '8.8.4.4',
          source_header: 'X-Forwarded-For',
          headers_seen: { 'X-Forwarded-For': '1.1.1.1, 10.0.0.1' },
          real_ip_claim: '1.1.1.1',
        },
      },
      {
        bounty_type: 'fingerprint',
        attacker_ip: '8.8.4.4',
        service: 'http',
        decky: 'web-02',
        payload: {
          fingerprint_type: 'http_quirks',
          order: ['Host', 'User-Agent', 'Accept'],
          order_hash: 'b1c589ad3fbc85b1',
          casing_hash: '113bf582974f3124',
          casing_category: 'title',
          stable_count: 3,
          tool_guess: 'curl',
        },
      },
    ])
  })

  it('that claims an address of nobody is a spoof, and no leak', () => {
    const headers = { ...CURL, 'X-Forwarded-For': '127.0.0.1' }
    expect(typesOf('http', 'request', request(headers))).toEqual([
      'http_useragent',
      'spoofed_source',
      'http_quirks',
    ])
    expect(payloads('http', 'request', request(headers))[1]).toEqual({
      fingerprint_type: 'spoofed_source',
      source_ip: '8.8.4.4',
      claimed_ip: '127.0.0.1',
      source_header: 'X-Forwarded-For',
      headers_seen: { 'X-Forwarded-For': '127.0.0.1' },
      claim_category: 'loopback',
    })
  })

  it.each([
    ['a trusted proxy', '8.8.4.4 9.9.9.9', CURL],
    ['a trusted block', '8.8.0.0/16', CURL],
    ['what claims its own address', '', { ...CURL, 'X-Forwarded-For': '8.8.4.4' }],
  ])('of %s tells neither leak nor spoof', (_, trusted, headers) => {
    const types = typesOf('http', 'request', request(headers), blocks(trusted))
    expect(types).toEqual(['http_useragent', 'http_quirks'])
  })

  it('takes shared address space for private', () => {
    const headers = { 'X-Real-IP': '100.64.0.1' }
    expect(payloads('http', 'request', request(headers))[0]).toMatchObject({
      claim_category: 'private',
    })
  })

  it.each([
    ['an object', CURL],
    ['JSON', JSON.stringify(CURL)],
    [
      'the printed form',
      `{'Host': 'shop.example', 'User-Agent': 'curl/8.5.0', 'Accept': "*/*", 'X-Forwarded-For': '1.1.1.1, 10.0.0.1'}`,
    ],
  ])('of https is read as one of http, its headers as %s', (_, headers) => {
    expect(payloads('https', 'request', { headers })).toEqual(
      payloads('http', 'request', request(CURL)),
    )
  })

  it('of another service tells of its program only, an empty name included', () => {
    expect(typesOf('docker_api', 'request', request(CURL))).toEqual(['http_useragent'])
    expect(payloads('k8s', 'request', request({ 'user-agent': '' }))).toEqual([
      {
        fingerprint_type: 'http_useragent',
        value: '',
        category: 'empty',
        tool: null,
        signals: null,
      },
    ])
    expect(finds('k8s', 'request', request({ Host: 'x' }))).toEqual([])
  })

  it('is the same bounty on every path, from every port', () => {
    const one = finds('http', 'request', request(CURL))
    const more = { path: '/b', method: 'POST', remote_port: '4712', body: 'x' }
    expect(finds('http', 'request', request(CURL, more))).toEqual(one)
  })

  it.each(['', 'x', '[]', '7', '{', '{}', 7, null, []])('has no headers in %j', (headers) => {
    expect(finds('http', 'request', { headers })).toEqual([])
  })

  it('of nobody known leaks nothing', () => {
    const { length } = bountiesOf(record('http', 'request', request(CURL), 'Unknown'), [])
    expect(length).toBe(2)
  })
})

const TLS = {
  ja3: '6734f37431670b3ab4292b8f60f29984',
  ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1',
  tls_version: 'TLS 1.3',
  sni: '',
  alpn: 'h2,http/1.1',
  src_port: '50301',
  dst_port: '443',
  raw_ciphers: '4865-4866',
  raw_extensions: '0-23',
}
const CERTIFICATE = {
  subject_cn: 'c2.example',
  issuer: 'CN=c2.example',
  self_signed: 'true',
  not_before: '2026-01-01T00:00:00Z',
  not_after: '2027-01-01T00:00:00Z',
  sans: 'c2.example',
}

describe('the sniffer', () => {
  it('tells JA3, latency and resumption of a TLS client', () => {
    const fields = { ...TLS, resumption: 'psk', ja4l_rtt_ms: '38.21', ja4l_client_ttl: '54' }
    expect(payloads('sniffer', 'tls_client_hello', fields)).toEqual([
      {
        fingerprint_type: 'ja3',
        ja3: TLS.ja3,
        ja3s: null,
        ja4: TLS.ja4,
        ja4s: null,
        tls_version: 'TLS 1.3',
        sni: null,
        alpn: 'h2,http/1.1',
        dst_port: '443',
        raw_ciphers: '4865-4866',
        raw_extensions: '0-23',
      },
      { fingerprint_type: 'ja4l', rtt_ms: '38.21', client_ttl: '54' },
      { fingerprint_type: 'tls_resumption', mechanisms: 'psk' },
    ])
  })

  it('tells JA3S of a session, and JA3 of QUIC as of TLS', () => {
    const session = { ...TLS, ja3s: 'eb1d94daa7e0344597e756a1fb6e7054', ja4s: 't13' }
    expect(payloads('sniffer', 'tls_session', session)[0]).toMatchObject({
      ja3s: session.ja3s,
      ja4s: 't13',
    })
    expect(payloads('sniffer', 'quic_client_hello', TLS)[0]).toMatchObject({ ja3: TLS.ja3 })
  })

  it('tells a certificate', () => {
    const fields = { ...CERTIFICATE, sni: 'shop.example', dst_port: '443' }
    expect(payloads('sniffer', 'tls_certificate', fields)).toEqual([
      { fingerprint_type: 'tls_certificate', ...CERTIFICATE, sni: 'shop.example' },
    ])
  })

  it('is the only one that is believed', () => {
    const fields = { ...TLS, ...CERTIFICATE, resumption: 'psk', ja4l_rtt_ms: '1' }
    expect(finds('http', 'request', fields)).toEqual([])
  })

  it('tells nothing by values that are empty', () => {
    const fields = { ja3: '', ja4l_rtt_ms: '', resumption: '', subject_cn: '' }
    expect(finds('sniffer', 'tls_client_hello', fields)).toEqual([])
  })
})

describe('the prober', () => {
  const target = { target_ip: '198.51.100.7', target_port: '22' }
  const probe = (fields: object, ip = '198.51.100.7') =>
    bountiesOf(record('prober', 'x', { ...target, ...fields }, ip), [])

  it('tells JARM, a certificate, HASSHServer and a TCP stack', () => {
    const hassh = {
      ssh_banner: 'SSH-2.0-OpenSSH_9.2p1',
      kex_algorithms: 'curve25519-sha256',
      encryption_s2c: 'aes128-ctr',
      mac_s2c: 'hmac-sha2-256',
      compression_s2c: 'none',
    }
    const stack = {
      ttl: '54',
      window_size: '64240',
      df_bit: '1',
      mss: '1460',
      window_scale: '7',
      sack_ok: '1',
      timestamp: '1',
      options_order: 'M,S,T,N,W',
    }
    const hashes = { jarm_hash: 'j', hassh_server_hash: 'h', tcpfp_hash: 't', tcpfp_raw: 'r' }
    const told = {
      ...hashes,
      ...hassh,
      ...stack,
      ...CERTIFICATE,
      cert_sha256: 'c',
      server_isn: '7',
    }
    expect(probe(told).map(({ payload }) => payload)).toEqual([
      { fingerprint_type: 'jarm', hash: 'j', ...target },
      { fingerprint_type: 'tls_certificate', ...CERTIFICATE, cert_sha256: 'c', ...target },
      { fingerprint_type: 'hassh_server', hash: 'h', ...target, ...hassh },
      { fingerprint_type: 'tcpfp', hash: 't', raw: 'r', ...target, ...stack },
    ])
  })

  it('tells of whom it probed, whoever the record is of', () => {
    const [bounty] = probe({ jarm_hash: 'j' }, '8.8.4.4')
    expect(bounty).toMatchObject({ attacker_ip: '198.51.100.7', service: 'prober' })
    expect(probe({ jarm_hash: 'j', target_ip: '2001:DB8::7' })[0]?.attacker_ip).toBe('2001:db8::7')
    expect(probe({ jarm_hash: 'j', target_ip: 'x' })[0]?.attacker_ip).toBe('Unknown')
    expect(probe({ jarm_hash: 'j', target_ip: undefined })[0]?.attacker_ip).toBe('Unknown')
  })
})

describe('the HASSH of an SSH client', () => {
  const lists = {
    kex_algorithms: 'curve25519-sha256',
    encryption_c2s: 'aes128-ctr',
    mac_c2s: 'hmac-sha1',
    compression_c2s: 'none',
  }
  const fields = { hassh: '51cba57125523ce4b9db67714a90bf6e', ...lists }

  it('is the same bounty from the sniffer and from Cowrie', () => {
    const expected = [{ fingerprint_type: 'hassh', hash: fields.hassh, ...lists }]
    const sniffed = { ...fields, src_port: '50122', kex_raw: 'x' }
    expect(payloads('sniffer', 'ssh_client_kex', sniffed)).toEqual(expected)
    const cowrie = { ...fields, sid: 'a1', languages_c2s: '', hassh_algorithms: 'x' }
    expect(payloads('ssh', 'hassh', cowrie)).toEqual(expected)
  })

  it('is not in other events', () => {
    expect(finds('sniffer', 'ssh_server_kex', fields)).toEqual([])
    expect(finds('ssh', 'hassh', {})).toEqual([])
  })
})

describe('what was left', () => {
  const stored = { stored_as: '2026_x.sh', sha256: '9f86', size: '4' }

  it('is a file', () => {
    const more = { orig_path: '/tmp/x.sh', attribution: 'pid-chain', writer_comm: 'curl' }
    expect(finds('ssh', 'file_captured', { ...stored, ...more, ssh_pid: '411' })).toEqual([
      {
        bounty_type: 'artifact',
        attacker_ip: '8.8.4.4',
        service: 'ssh',
        decky: 'web-02',
        payload: { kind: 'file', ...stored, ...more },
      },
    ])
  })

  it('is a mail', () => {
    const more = {
      subject: 'Re: numbers',
      from_hdr: 'a',
      to_hdr: 'b',
      mail_from: '<a@b.example>',
      rcpt_to: '<c@d.example>',
      attachment_count: '2',
      content_type: 'multipart/mixed',
    }
    expect(payloads('smtp', 'message_stored', { ...stored, ...more, msg_id: 'x' })).toEqual([
      { kind: 'mail', ...stored, ...more },
    ])
  })

  it('is nothing where nothing was stored', () => {
    expect(finds('ssh', 'file_captured', { sha256: '9f86' })).toEqual([])
    expect(finds('ssh', 'session_recorded', stored)).toEqual([])
  })
})

it('a VNC client tells its version', () => {
  expect(payloads('vnc', 'version', { client_version: 'RFB 003.008' })).toEqual([
    { fingerprint_type: 'vnc_client_version', value: 'RFB 003.008' },
  ])
  expect(finds('vnc', 'version', { client_version: '' })).toEqual([])
  expect(finds('vnc', 'connect', { client_version: 'RFB 003.008' })).toEqual([])
})

it.each([undefined, null, 7, 'text', [], [{ headers: CURL }], {}])(
  'a record whose fields are %j tells nothing',
  (fields) => {
    expect(bountiesOf(record('http', 'request', fields), [])).toEqual([])
  },
)

const textsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
const NAMES = [
  ...['headers', 'client_version', 'ja3', 'ja3s', 'sni', 'ja4l_rtt_ms', 'resumption', 'subject_cn'],
  ...['issuer', 'jarm_hash', 'hassh_server_hash', 'tcpfp_hash', 'target_ip', 'stored_as', 'hassh'],
  ...['subject', 'kex_algorithms', 'raw_ciphers'],
]
const HEADER_NAMES = ['User-Agent', 'X-Forwarded-For', 'Forwarded', 'Host', '__proto__', '', '1']
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('"', "'", '{', '}', ':', ',', '\\', ';', '=', '1', '.') }),
  fc.constantFrom('\ud800'.repeat(1100), '\0'.repeat(70_000), '1.1.1.1', 'for=1.1.1.1'),
)
const hostileHeaders = fc
  .dictionary(
    fc.oneof(fc.constantFrom(...HEADER_NAMES), hostileText),
    fc.oneof(hostileText, fc.anything()),
  )
  .chain((headers) => fc.constantFrom<unknown>(headers, JSON.stringify(headers)))

it('any record tells at most six things, in JSON of bounded length, the same every time', () => {
  const services = fc.constantFrom('http', 'https', 'sniffer', 'prober', 'vnc', 'ssh')
  const events = fc.constantFrom('request', 'version', 'file_captured', 'message_stored', 'hassh')
  const values = fc.oneof(hostileText, hostileHeaders, fc.anything())
  const fields = fc.dictionary(fc.constantFrom(...NAMES), values)
  fc.assert(
    fc.property(services, events, fields, hostileText, (service, event_type, held, ip) => {
      const told = bountiesOf(record(service, event_type, held, ip), [])
      expect(told.length).toBeLessThanOrEqual(6)
      for (const { payload } of told) {
        const text = JSON.stringify(payload)
        expect(textsIn(payload).filter((one) => !one.isWellFormed())).toEqual([])
        expect(text.length).toBeLessThan(64 * 1024)
        expect(JSON.parse(text)).toEqual(payload)
      }
      expect(bountiesOf(record(service, event_type, held, ip), [])).toEqual(told)
    }),
    { numRuns: 500 },
  )
})
