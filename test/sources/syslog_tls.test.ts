import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { syslog } from '../../sources/syslog.ts'
import { hasOpenssl, makeCertificates } from './certificates.ts'
import { startSource, until } from './source_run.ts'

const config = {
  listen: 'tls://127.0.0.1:0',
  max_line: 1000,
  max_connections: 10,
  idle_timeout: 60_000,
  queue: 100,
}
type Run = ReturnType<typeof startSource>
const started: Run[] = []
const clients: TLSSocket[] = []
let folder = ''

const file = (name: string) => join(folder, name)
const tls = (more: object = {}) => ({
  tls: {
    cert: file('server.pem'),
    key: file('server.key'),
    ca: file('ca.pem'),
    client_cert: 'required',
    ...more,
  },
})

async function listen(more: object) {
  const run = startSource(syslog, { ...config, ...more }).flow()
  started.push(run)
  await until(() => run.logs.some(({ message }) => message === 'listening'))
  return run
}

/** Sends over TLS, with the certificate of that name if one is given. */
function send(run: Run, text: string, name?: string, more: object = {}): TLSSocket {
  const own = name && {
    cert: readFileSync(file(`${name}.pem`)),
    key: readFileSync(file(`${name}.key`)),
  }
  const ca = readFileSync(file('ca.pem'))
  const client = connect({ port: run.port(), host: '127.0.0.1', ca, ...own, ...more })
  client.on('error', () => client.destroy())
  client.write(text)
  clients.push(client)
  return client
}

describe.skipIf(!hasOpenssl)('syslog over TLS (needs openssl)', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-tls-'))
    makeCertificates(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy()
    for (const run of started.splice(0)) await run.stop()
  })

  it.each(['TLSv1.2', 'TLSv1.3'])('takes messages and the name of a %s client', async (version) => {
    const run = await listen(tls())
    const only = { minVersion: version, maxVersion: version }
    const client = send(run, '<1>a\n4 <2>b', 'client', only)
    await until(() => run.events.length === 2)
    const peer = `127.0.0.1:${client.localPort}`
    expect(run.events).toMatchObject([
      { data: { line: '<1>a', peer, peer_cn: 'agent-7' } },
      { data: { line: '<2>b', peer, peer_cn: 'agent-7' } },
    ])
  })

  it.each([
    ['without a certificate', undefined],
    ['with one of another CA', 'stranger'],
  ])('refuses a client %s', async (_, name) => {
    const run = await listen(tls())
    const client = send(run, '<1>a\n', name)
    await until(() => client.closed && run.counts.tls_refused === 1)
    send(run, '<2>b\n', 'client')
    await until(() => run.events.length === 1)
    expect(run.lines()).toEqual(['<2>b'])
  })

  it('takes a client without a certificate where one is optional, but none with a wrong one', async () => {
    const run = await listen(tls({ client_cert: 'optional' }))
    const stranger = send(run, '<1>stranger\n', 'stranger')
    await until(() => stranger.closed && run.counts.tls_refused === 1)
    send(run, '<2>b\n')
    await until(() => run.events.length === 1)
    send(run, '<3>c\n', 'client')
    await until(() => run.events.length === 2)
    expect(run.events[0]).not.toHaveProperty('data.peer_cn')
    expect(run.events).toMatchObject([
      { data: { line: '<2>b' } },
      { data: { line: '<3>c', peer_cn: 'agent-7' } },
    ])
  })

  it('gives no name to a client whose certificate has two', async () => {
    const run = await listen(tls())
    send(run, '<1>a\n', 'two_names')
    await until(() => run.events.length === 1)
    expect(run.events[0]).not.toHaveProperty('data.peer_cn')
  })

  it('asks for no certificate where there is to be none', async () => {
    const { cert, key } = tls().tls
    const run = await listen({ tls: { cert, key, client_cert: 'none' } })
    send(run, '<1>a\n', 'stranger')
    await until(() => run.events.length === 1)
  })

  it('refuses a client older than TLS 1.2, and one that speaks no TLS', async () => {
    const run = await listen(tls())
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }
    send(run, '<1>a\n', 'client', old)
    await until(() => run.counts.tls_refused === 1)
    const { connect: plain } = await import('node:net')
    const client = plain(run.port(), '127.0.0.1')
    client.on('error', () => client.destroy())
    client.write('<1>a\n')
    await until(() => run.counts.tls_refused === 2)
    client.destroy()
    expect(run.events).toEqual([])
  })

  it('stops at once though a client has not finished its handshake', async () => {
    const run = await listen(tls())
    const { connect: plain } = await import('node:net')
    const client = plain(run.port(), '127.0.0.1')
    await until(() => !client.connecting)
    await run.stop()
    await until(() => client.closed || client.destroyed || client.readableEnded || !client.writable)
  })

  it('says what is missing', async () => {
    const refused = (more: object) => startSource(syslog, { ...config, ...more }).pull()
    await expect(refused({})).rejects.toMatchObject({ code: 'TLS_CONFIG' })
    const { cert, key } = tls().tls
    const noCa = { tls: { cert, key, client_cert: 'required' } }
    await expect(refused(noCa)).rejects.toMatchObject({ code: 'TLS_CONFIG' })
    const absent = tls({ cert: file('absent.pem') })
    await expect(refused(absent)).rejects.toMatchObject({ code: 'TLS_FILE' })
  })
})
