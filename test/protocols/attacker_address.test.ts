import { describe, expect, it } from 'vitest'
import { attackerFromFields, attackerFromMessage } from '../../protocols/attacker_address.ts'

describe('the attacker, from fields,', () => {
  it.each([
    [{ src_ip: '198.51.100.7', src: '203.0.113.9' }, { address: '198.51.100.7' }],
    [{ ip: '203.0.113.9', target_ip: '198.51.100.7' }, { address: '198.51.100.7' }],
    [{ ip: '203.0.113.9', remote_addr: '198.51.100.7' }, { address: '198.51.100.7' }],
    [{ remote_addr: '198.51.100.7:50300' }, { address: '198.51.100.7', port: '50300' }],
    [{ remote_addr: '[2001:db8::7]:443' }, { address: '2001:db8::7', port: '443' }],
    [{ src_ip: '2001:db8::7' }, { address: '2001:db8::7' }],
    [{ src: '?' }, { address: 'Unknown' }],
    [{ src_ip: '-', src: '198.51.100.7' }, { address: 'Unknown' }],
    [{ src_ip: '', ip: '198.51.100.7' }, { address: 'Unknown' }],
    [{ src_ip: 'evil.example:80' }, { address: 'Unknown', port: '80' }],
    [{ dst_ip: '198.51.100.7', attacker_ip: '198.51.100.7' }, undefined],
    [{}, undefined],
  ])('%j', (fields: Record<string, string>, found) => {
    expect(attackerFromFields(fields)).toEqual(found)
  })
})

describe('the attacker, from a message,', () => {
  it.each([
    ['', 'Unknown'],
    ['nothing here', 'Unknown'],
    ['Connection from 198.51.100.7 port 1 on 192.0.2.10 port 22', '198.51.100.7'],
    ['seen 192.0.2.1, then from 198.51.100.7', '198.51.100.7'],
    ['authentication failure; rhost=198.51.100.7 user=root', '198.51.100.7'],
    ['RHOST: 2001:db8::7 refused', '2001:db8::7'],
    ['disconnect From [2001:db8::7]:443', '2001:db8::7'],
    ['client=198.51.100.7:5555 hello', '198.51.100.7'],
    ['disconnected from 198.51.100.7: 11: Bye', '198.51.100.7'],
    ['Invalid user from from 198.51.100.7', '198.51.100.7'],
    ['mail from the queue for 198.51.100.7.', '198.51.100.7'],
    ['a remote_ip=198.51.100.7, from 192.0.2.1', '198.51.100.7'],
    ['a src="198.51.100.7:22" b', '198.51.100.7'],
    ['a xsrc=192.0.2.1 x-ip=192.0.2.2 my.src=192.0.2.3 ip=198.51.100.7', '198.51.100.7'],
    ['a src=? from 192.0.2.1', 'Unknown'],
    ['version 1.2.3.4.5, 300.1.1.1, at 198.51.100.7:80', '198.51.100.7'],
    ['TCPFP 198.51.100.7:22 = b1e01590', '198.51.100.7'],
  ])('%j', (message, address) => expect(attackerFromMessage(message)).toBe(address))

  it('is never what stands in a shell command or its directory', () => {
    const forged = 'src=8.8.8.8 from 8.8.8.8 8.8.8.8'
    expect(attackerFromMessage(`CMD uid=0 pwd=/ cmd=ping ${forged}`)).toBe('Unknown')
    expect(attackerFromMessage(`CMD uid=0 pwd=/tmp/${forged} cmd=ls`)).toBe('Unknown')
    const line = `CMD uid=0 user=root src=198.51.100.7 pwd=/ ${forged} cmd=ls ${forged}`
    expect(attackerFromMessage(line)).toBe('198.51.100.7')
  })

  it('is looked for in linear time', () => {
    const hostile = ['from ', 'from'.padEnd(5000), '1.', '1.1.1.', 'src=', 'rhost = '].map((part) =>
      part.repeat(200_000 / part.length),
    )
    for (const text of hostile) attackerFromMessage(text)
  }, 2000)
})
