import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ownSignatures } from '../../../protocols/fingerprint/own_signatures.ts'
import { readP0fDatabase } from '../../../protocols/fingerprint/p0f_database.ts'

const FILE = `
; a comment
classes = win,unix

[mtu]
label = Ethernet or modem
sig   = 1500
sig   = 576

[tcp:request]
label = s:unix:Linux:3.x
sys   = @unix
sig   = *:64:0:*:mss*10,7:mss,sok,ts,nop,ws:df,id+:0
label = g:win:Windows:
sig   = *:128:0:*:*,8:mss:df,id+:0

[tcp:response]
label = s:!:tool:a b
sig   = 4:64-:0:*:*,0:mss::*

[http:request]
ua_os = Linux,Windows
label = whatever:this:is
sig   = 1:Host,User-Agent::x
`

it('reads labels, signatures and link types, and skips what it does not know', () => {
  const database = readP0fDatabase(FILE)
  expect(database).toMatchObject({ signatures: 3, problems: [] })
  expect([...database.links]).toEqual([
    [1500, 'Ethernet or modem'],
    [576, 'Ethernet or modem'],
  ])
  expect(database.request.get('mss')?.[0]).toMatchObject({
    label: { text: 'Windows', generic: true, userland: false, osClass: 'win' },
    line: 15,
    ttl: 128,
  })
  expect(database.response.get('mss')?.[0]).toMatchObject({
    label: { text: 'tool a b', userland: true },
    randomTtl: true,
    mss: -1,
    payload: -1,
  })
})

it('says which lines are wrong, and uses the others', () => {
  const { problems, signatures } = readP0fDatabase(
    [
      'sig = 1',
      '[mtu]',
      'sig = 1500',
      'label = x',
      'sig = 70000',
      '[tcp:request]',
      'sig = *:64:0:*:*,*:mss::0',
      'label = s:unix:A:',
      'sig = *:64:0:*:*,*:mss::0',
      'label = x:unix:B:',
      'sig = *:64:0:*:*,*:mss::0',
      'label = s:unix:C:1',
      'sig = *:64+?:0:*:*,*:mss::0',
      'sig = *:64:0:*:*,*:mss:what:0',
      'sag = 1',
      '\u0007',
      'sig = *:57+7:0:*:*,*:mss::0',
    ].join('\r\n'),
  )
  expect(signatures).toBe(2)
  expect(problems).toEqual([
    { line: 1, message: 'a sig before the first section' },
    { line: 3, message: 'an MTU without a label' },
    { line: 5, message: 'MTU "70000" is not 1 to 65535' },
    { line: 7, message: 'a signature without a label' },
    { line: 10, message: 'label "x:unix:B:" is not [sg]:class:name:flavour' },
    { line: 11, message: 'a signature without a label' },
    { line: 13, message: 'TTL 64+? does not tell where it started' },
    { line: 14, message: 'there is no quirk "what"' },
    { line: 15, message: '"sag = 1" is neither label nor sig' },
    { line: 16, message: '"\\u{7}" is neither label nor sig' },
  ])
})

it('stops at a file, a number of signatures and a number of problems', () => {
  expect(readP0fDatabase('x'.repeat(5_000_000))).toMatchObject({
    signatures: 0,
    problems: [{ line: 1, message: 'the file is over 4194304 characters' }],
  })
  const many = `[tcp:request]\nlabel = s:unix:A:\n${'sig = *:64:0:*:*,*:mss::0\n'.repeat(30_000)}`
  const database = readP0fDatabase(many)
  expect(database.signatures).toBe(20_000)
  expect(database.problems).toHaveLength(100)
})

it('reads any text without throwing', () => {
  const lines = FILE.split('\n')
  const line = fc.oneof(
    fc.constantFrom(...lines),
    fc.string(),
    fc.tuple(fc.constantFrom(...lines), fc.nat(60)).map(([text, cut]) => text.slice(0, cut)),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (all) => {
      const { signatures, problems } = readP0fDatabase(all.join('\n'))
      expect(signatures).toBeLessThanOrEqual(all.length)
      expect(problems.length).toBeLessThanOrEqual(100)
    }),
  )
})

it('brings signatures of its own, without a mistake in them', () => {
  const own = ownSignatures()
  expect(own.problems).toEqual([])
  expect(own.signatures).toBeGreaterThan(40)
})
