import { describe, expect, it } from 'vitest'
import {
  type HandshakeRead,
  readHandshake,
  startsTls,
} from '../../../protocols/tls/handshake_reader.ts'
import { CLIENT_RECORD, hex, message, record, SERVER_RECORD } from './hello_bytes.ts'

/** What was read, the bodies in hex. */
const shown = ({ state, messages }: HandshakeRead) => ({
  state,
  messages: messages.map(({ type, bytes, start, end }) => [
    type,
    Buffer.from(bytes.subarray(start, end)).toString('hex'),
  ]),
})

/** Lets the bytes come one by one and asks only when there are as many as were asked for. */
function trickle(bytes: Buffer): { read: HandshakeRead; calls: number } {
  let read: HandshakeRead = { state: 'more', messages: [], need: 1 }
  let calls = 0
  for (let end = 0; end <= bytes.length && read.state === 'more'; end++) {
    if (end < read.need) continue
    read = readHandshake(bytes, 0, end)
    calls += 1
    if (read.state === 'more') expect(read.need).toBeGreaterThan(end)
  }
  return { read, calls }
}

const HELLO = CLIENT_RECORD.subarray(5)
const CHANGE_CIPHER = hex('140303000101')
const APPLICATION_DATA = record(23, Buffer.alloc(40, 5))
const certificate = message(11, Buffer.alloc(3000, 3))
const flight = Buffer.concat([SERVER_RECORD.subarray(5), certificate, message(14, hex(''))])

/** `bytes` in records of `size`. */
const inRecords = (bytes: Buffer, size: number): Buffer => {
  const records: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) {
    records.push(record(22, bytes.subarray(at, at + size)))
  }
  return Buffer.concat(records)
}

describe('the reader of handshakes', () => {
  it('finds a hello that comes in two segments', () => {
    expect(readHandshake(CLIENT_RECORD, 0, 60)).toMatchObject({ messages: [], need: 149 })
    expect(readHandshake(CLIENT_RECORD).messages).toMatchObject([{ type: 1, start: 9, end: 149 }])
  })

  it('waits for the last byte', () => {
    for (let end = 0; end < CLIENT_RECORD.length; end++) {
      expect(readHandshake(CLIENT_RECORD, 0, end)).toMatchObject({ state: 'more', messages: [] })
    }
  })

  it('joins messages over records of any size', () => {
    const whole = shown(readHandshake(record(22, flight)))
    expect(whole.messages.map(([type]) => type)).toEqual([2, 11, 14])
    for (let size = 1; size <= flight.length; size += size < 200 ? 1 : 97) {
      const records = inRecords(flight, size)
      expect(shown(readHandshake(records)), `records of ${size}`).toEqual(whole)
      const { read, calls } = trickle(records)
      expect(shown(read), `records of ${size}, byte by byte`).toEqual(whole)
      expect(calls).toBeLessThan(160)
    }
  })

  it('reads from where it is told to', () => {
    const bytes = Buffer.concat([Buffer.from('STLS\r\n'), CLIENT_RECORD, APPLICATION_DATA])
    const read = readHandshake(bytes, 6, 6 + CLIENT_RECORD.length)
    expect(shown(read)).toEqual({ state: 'more', messages: [[1, HELLO.toString('hex', 4)]] })
    expect(read.need).toBe(CLIENT_RECORD.length + 5)
  })

  it.each([
    ['ChangeCipherSpec', CHANGE_CIPHER],
    ['application data', APPLICATION_DATA],
    ['a fatal alert', hex('15030300020228')],
    ['an encrypted alert', record(21, Buffer.alloc(26))],
    ['a record of no length', hex('1603030000')],
    ['a record longer than allowed', hex('1603034001')],
    ['something that is no TLS', Buffer.from('HTTP/1.1 400')],
  ])('stops at %s', (_, next) => {
    const { read } = trickle(Buffer.concat([CLIENT_RECORD, next, CLIENT_RECORD]))
    expect(shown(read)).toEqual({ state: 'done', messages: [[1, HELLO.toString('hex', 4)]] })
  })

  it('reads on after a warning, which servers send before their hello', () => {
    const warning = hex('15030100020170')
    const { read } = trickle(Buffer.concat([warning, SERVER_RECORD, CHANGE_CIPHER]))
    expect(read).toMatchObject({ state: 'done', messages: [{ type: 2 }] })
    expect(readHandshake(Buffer.concat([warning, record(22, certificate)])).state).toBe('not_tls')
  })

  it.each([
    ['nothing like it', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a hello in SSL 2.0 framing', hex('802e0100020015000000100100800200800300800400800500800600')],
    ['another first message', record(22, certificate)],
    ['another major version', hex('1602000010')],
    ['a first record of no length', hex('1603010000')],
    ['a fatal alert', hex('15030100020228')],
  ])('refuses %s at once', (_, bytes) => {
    expect(startsTls(bytes, 0, bytes.length)).toBe(false)
    expect(trickle(bytes)).toMatchObject({ read: { state: 'not_tls', messages: [] } })
  })

  it('takes any head of a hello for a beginning, but not nothing', () => {
    expect(startsTls(CLIENT_RECORD, 0, 0)).toBe(false)
    for (let end = 1; end < 10; end++) expect(startsTls(CLIENT_RECORD, 0, end)).toBe(true)
  })

  it('says how much a message needs, so that one over the limit can be given up', () => {
    const huge = Buffer.concat([hex('1603034000'), hex('01ffffff'), Buffer.alloc(100)])
    expect(readHandshake(huge).need).toBeGreaterThan(2 ** 24)
  })

  it('gives up on a peer that sends empty messages without end', () => {
    const many = record(22, Buffer.concat([HELLO, hex('00000000'.repeat(3000))]))
    const read = readHandshake(many)
    expect(read.state).toBe('done')
    expect(read.messages.length).toBe(32)
  })
})
