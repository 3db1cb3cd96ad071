import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hassh, hasshServer } from '../../../protocols/fingerprint/hassh.ts'
import type { KexInit } from '../../../protocols/ssh/kexinit.ts'

const CORPUS = new URL('../../../../shared/corpus/fingerprint-vectors/', import.meta.url)

/** Proposals that differ by direction; the lists of `algorithms` are those to the server. */
function proposals(algorithms: string): KexInit {
  const [kex = '', encryptionC2s = '', macC2s = '', compressionC2s = ''] = algorithms.split(';')
  const toServer = { encryptionC2s, macC2s, compressionC2s }
  return { kex, hostKey: 'k', ...toServer, encryptionS2c: 'e', macS2c: 'm', compressionS2c: 'c' }
}

describe('HASSH', () => {
  it.each([
    [
      'curve25519-sha256;aes128-gcm@openssh.com;hmac-sha2-256;none',
      '66a216a163d6360198852c99b10afcc6',
    ],
    [';;;', '95420f9d932ddd22833f17b96a80bedb'],
  ])('of %s', (raw, hash) => expect(hassh(proposals(raw))).toEqual({ hassh: hash, raw }))

  it('of a server is made of what it proposes for the way back', () => {
    expect(hasshServer(proposals('k1;e1;m1;c1')).raw).toBe('k1;e;m;c')
  })

  it('hashes the bytes that were sent, not their UTF-8', () => {
    expect(hassh(proposals('\xff;;;')).hassh).toBe('3c6e535e247257ff14385ed5a48f9de4')
  })

  it.runIf(existsSync(CORPUS)).each([
    ['hassh-from-cowrie.jsonl', 21],
    ['hassh-salesforce-clients.jsonl', 19],
  ])('agrees with %s', (file, cases) => {
    const lines = readFileSync(new URL(file, CORPUS), 'utf8').trim().split('\n')
    for (const line of lines) {
      const { hassh: expected, hasshAlgorithms } = JSON.parse(line)
      expect(hassh(proposals(hasshAlgorithms)).hassh).toBe(expected)
    }
    expect(lines.length).toBe(cases)
  })
})
