import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { type Component, SECTIONS } from '../../engine/define.ts'
import { root } from './decnet.ts'

/** A component is a file, or a folder with an index, in the folder of its section. */
const modules = SECTIONS.flatMap((section) =>
  readdirSync(join(root, section), { withFileTypes: true }).flatMap((entry) => {
    const path = join(root, section, entry.name)
    if (entry.isFile()) return entry.name.endsWith('.ts') ? [[section, path] as const] : []
    return readdirSync(path).includes('index.ts')
      ? [[section, join(path, 'index.ts')] as const]
      : []
  }),
)

it.each(modules)('%s: every component of %s is registered', async (section, path) => {
  const exported = Object.values((await import(path)) as Record<string, unknown>)
  const components = exported.filter(
    (value): value is Component =>
      typeof value === 'object' &&
      value !== null &&
      'section' in value &&
      value.section === section,
  )
  expect(components).toHaveLength(1)
  const registered = [...registry.values()]
  for (const component of components) expect(registered).toContain(component)
})

it('nothing else is registered', () => expect(registry.size).toBe(modules.length))
