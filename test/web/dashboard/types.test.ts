import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { expect, it } from 'vitest'

const folder = new URL('../../../web/dashboard/src/api/', import.meta.url)

it.each(['types.ts', 'explanation_types.ts'])(
  'of %s, which names shapes of the server, nothing reaches the browser',
  (name) => {
    const left = stripTypeScriptTypes(readFileSync(new URL(name, folder), 'utf8'))
    expect(left.replace(/\/\*.*?\*\//gs, '').trim()).toBe('')
  },
)
