import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSecretBox, openSecretBox } from '../../store/secret_box.ts'

const KEY = 'a key of the test, long enough for it'

describe('a secret box', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-secret-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('opens what it has sealed, and seals the same text differently each time', () => {
    const box = makeSecretBox(KEY)
    const sealed = ['correct-horse', '', '🦑é'].map((text) => box.seal(text, 'a'))
    expect(sealed.map((one) => box.open(one, 'a'))).toEqual(['correct-horse', '', '🦑é'])
    expect(box.seal('x', 'a')).not.toBe(box.seal('x', 'a'))
    expect(sealed[0]).not.toContain('correct')
  })

  it('refuses what was changed, cut, moved to another owner or sealed with another key', () => {
    const box = makeSecretBox(KEY)
    const sealed = box.seal('correct-horse', 'a')
    const refused = (text: string, owner = 'a', opener = box) =>
      expect(() => opener.open(text, owner)).toThrow(
        expect.objectContaining({ code: 'SECRET_KEY' }),
      )
    refused(sealed, 'b')
    refused(sealed, 'a', makeSecretBox(`${KEY}.`))
    for (let end = 0; end < sealed.length; end += 1) refused(sealed.slice(0, end))
    const parts = sealed.split('.')
    for (const at of [2, 3, 4]) {
      const bytes = Buffer.from(parts[at] ?? '', 'base64url')
      bytes[0] = (bytes[0] ?? 0) ^ 1
      refused(parts.with(at, bytes.toString('base64url')).join('.'))
    }
  })

  it('makes a key file for its owner alone, once, and finds it again', () => {
    const state = join(folder, 'state')
    const sealed = openSecretBox(undefined, state).seal('x', 'a')
    expect(statSync(join(state, 'secret.key')).mode & 0o777).toBe(0o600)
    expect(openSecretBox('', state).open(sealed, 'a')).toBe('x')
    expect(readdirSync(state)).toEqual(['secret.key'])
  })

  it('refuses a key that is short and a key file that others may read', () => {
    const refusal = expect.objectContaining({ code: 'SECRET_KEY', name: 'FatalError' })
    expect(() => openSecretBox('short', folder)).toThrow(refusal)
    const path = join(folder, 'secret.key')
    writeFileSync(path, KEY, { mode: 0o600 })
    expect(openSecretBox(undefined, folder).open(makeSecretBox(KEY).seal('x', 'a'), 'a')).toBe('x')
    chmodSync(path, 0o640)
    expect(() => openSecretBox(undefined, folder)).toThrow(refusal)
    writeFileSync(path, 'short')
    chmodSync(path, 0o600)
    expect(() => openSecretBox(undefined, folder)).toThrow(refusal)
  })
})
