/**
 * Completes package-lock.json: `npm run lock`, after a dependency changed.
 *
 * Packages with native code list one optional package per platform. A registry mirror may serve
 * those of Linux only; npm then leaves the others out of the lock file, and `npm ci` (npm 11.19)
 * refuses that file: `Missing: @biomejs/cli-darwin-arm64@ from lock file`. Entries written here
 * tell npm the platform, so that it neither asks for the package nor misses it.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface Entry {
  version?: string
  license?: string
  dev?: boolean
  engines?: unknown
  optionalDependencies?: Record<string, string>
}

const CPU = /(?<=-)(arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?=-|$)/
const OS = /(?<=-)(android|darwin|freebsd|linux|openharmony|win32)(?=-|$)/

/** @param name of a package for one platform, e.g. `@biomejs/cli-linux-x64-musl` */
function platformEntry(name: string, version: string, parent: Entry): object {
  const [cpu] = CPU.exec(name) ?? []
  const [os] = OS.exec(name) ?? []
  if (!cpu || !os) throw new Error(`${name} names no platform; complete package-lock.json by hand`)
  const libc = name.includes('-musl') ? 'musl' : 'glibc'
  return {
    version,
    cpu: [cpu],
    ...(parent.dev ? { dev: true } : {}),
    ...(os === 'linux' ? { libc: [libc] } : {}),
    license: parent.license,
    optional: true,
    os: [os],
    engines: parent.engines,
  }
}

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> }
const packages = { ...lock.packages }
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages) continue
    packages[`node_modules/${name}`] = platformEntry(name, version, entry)
  }
}
// npm sorts this way too, with the project itself, whose path is empty, first.
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
lock.packages = Object.fromEntries(sorted)
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
