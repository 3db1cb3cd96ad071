import { describe, expect, it } from 'vitest'
import { parseDecnetLine } from '../../protocols/decnet_log.ts'
import { catalogue, findCatalogueEntry } from '../../protocols/event_catalogue.ts'
import { LOG_VECTORS } from './log_vectors.ts'

describe('the catalogue', () => {
  it("knows every event of the sheet's lines and each of their parameters", () => {
    for (const [line, , service, event] of LOG_VECTORS) {
      if (service === 'sshd' || event === 'startup') continue
      const { fields } = parseDecnetLine(line, { receivedAt: 0 }).record
      const entry = findCatalogueEntry(service, event)
      const known = [...(entry?.params ?? []), ...(entry?.optional ?? []), 'remote_port']
      // The address, as all services have it, may be missing from older lines.
      expect(known, `${service} ${event}`).toEqual(expect.arrayContaining(Object.keys(fields)))
    }
  })

  it('says which events carry a secret, and of what kind', () => {
    expect(findCatalogueEntry('postgres', 'auth')?.secretKinds).toEqual(['postgres_md5_challenge'])
    expect(findCatalogueEntry('rdp', 'rdp_cookie')?.secretKinds).toEqual([])
    expect(findCatalogueEntry('smb', 'auth_attempt')?.secretKinds).toContain('ntlmssp_v2')
    expect(findCatalogueEntry('nobody', 'nothing')).toBeUndefined()
  })

  it('names things as lines may', () => {
    for (const { service, event, params, optional } of catalogue()) {
      expect(service).toMatch(/^[a-z][a-z0-9_-]{0,47}$/)
      expect(event).toMatch(/^[a-z][a-z0-9_]{0,31}$/)
      for (const name of [...params, ...optional]) expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
      expect(new Set([...params, ...optional]).size).toBe(params.length + optional.length)
    }
  })
})
