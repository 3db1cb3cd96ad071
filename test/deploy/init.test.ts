import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deinitHost } from '../../deploy/deinit.ts'
import { checkHost } from '../../deploy/host.ts'
import { type InitOptions, initHost } from '../../deploy/init.ts'
import { findRuntime } from '../../deploy/runtime.ts'
import { type FakeHost, fakeHost, HOST, PIPELINE } from './host.ts'

const init = (fake: FakeHost, more: Partial<InitOptions> = {}) => {
  fake.lines.length = 0
  initHost({
    ...fake,
    host: HOST,
    pipelines: [PIPELINE],
    dryRun: false,
    force: false,
    start: true,
    ...more,
  })
}

const deinit = (fake: FakeHost, more: { purge?: boolean; dryRun?: boolean } = {}) => {
  fake.lines.length = 0
  fake.commands.length = 0
  const { user, group, installDir } = HOST
  deinitHost({
    ...fake,
    user,
    group,
    installDir,
    purge: false,
    dryRun: false,
    force: false,
    ...more,
  })
}

/** Every file below a folder, by path. */
function files(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]),
  )
}

const failure = (act: () => void): string => {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('init', () => {
  it('changes nothing the second time', () => {
    const fake = fakeHost()
    init(fake)
    const first = files(fake.prefix)
    init(fake)
    expect(files(fake.prefix)).toEqual(first)
    expect(fake.lines).toContain('[SKIP] systemd units (3 unit files up to date)')
    expect(Object.keys(first).sort()).toEqual([
      '/etc/decnet/decnet.ini',
      '/etc/logrotate.d/decnet',
      '/etc/polkit-1/rules.d/50-decnet-workers.rules',
      '/etc/systemd/system/decnet-bus.service',
      '/etc/systemd/system/decnet-reuse-correlator.service',
      '/etc/systemd/system/decnet.target',
      '/etc/tmpfiles.d/decnet.conf',
    ])
  })

  it('names the user, the group and the directory it was given, everywhere', () => {
    const fake = fakeHost()
    init(fake)
    const written = files(fake.prefix)
    expect(Object.values(written).join('\n')).not.toMatch(/\/opt\/decnet|User=decnet|\{\{/)
    expect(fake.commands[1]).toMatch(/^useradd --system --gid g1 --home-dir \/srv\/decnet .* u1$/)
    expect(written['/etc/polkit-1/rules.d/50-decnet-workers.rules']).toContain('isInGroup("g1")')
    expect(written['/etc/tmpfiles.d/decnet.conf']).toContain('d /run/decnet 0755 u1 g1 -')
    expect(written['/etc/logrotate.d/decnet']).toContain('create 0640 u1 g1')
  })

  it('runs the programs it needs, in order', () => {
    const fake = fakeHost()
    init(fake)
    expect(fake.commands.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'groupadd --system',
      'useradd --system',
      'systemd-tmpfiles --create',
      'systemctl daemon-reload',
      'systemctl enable',
    ])
  })

  it('skips accounts that exist', () => {
    const fake = fakeHost()
    mkdirSync(join(fake.prefix, 'etc'))
    writeFileSync(join(fake.prefix, 'etc/group'), `g1:x:${process.getgid?.()}:\n`)
    writeFileSync(join(fake.prefix, 'etc/passwd'), `u1:x:${process.getuid?.()}:0::/:/bin/sh\n`)
    init(fake)
    expect(fake.commands.join('\n')).not.toMatch(/useradd|groupadd/)
    expect(fake.lines).toContain('[SKIP] user u1 (it exists)')
  })

  it('gives directories their modes anew, the setgid bit included', () => {
    const fake = fakeHost()
    init(fake)
    const mode = (path: string) => statSync(join(fake.prefix, path)).mode & 0o7777
    expect(mode('/var/lib/decnet')).toBe(0o750)
    expect(mode('/var/lib/decnet/artifacts')).toBe(0o2775)
    expect(mode('/etc/decnet/decnet.ini')).toBe(0o640)
    expect(mode('/etc/systemd/system/decnet.target')).toBe(0o644)
  })

  it('restores a unit that was changed, with or without --force, and never the INI', () => {
    const fake = fakeHost()
    init(fake)
    const target = join(fake.prefix, '/etc/systemd/system/decnet.target')
    const ini = join(fake.prefix, '/etc/decnet/decnet.ini')
    const good = readFileSync(target, 'utf8')
    writeFileSync(target, 'tampered')
    writeFileSync(ini, '[decnet]\n')
    init(fake)
    expect(readFileSync(target, 'utf8')).toBe(good)
    init(fake, { force: true })
    expect(fake.lines.some((line) => line.startsWith('[ OK ] systemd units'))).toBe(true)
    expect(readFileSync(ini, 'utf8')).toBe('[decnet]\n')
  })

  it('does nothing in a dry run but say what it would do', () => {
    const fake = fakeHost()
    init(fake, { dryRun: true })
    expect(files(fake.prefix)).toEqual({})
    expect(readdirSync(fake.prefix)).toEqual([])
    expect(fake.commands).toEqual([])
    expect(fake.lines.every((line) => line.startsWith('[SKIP]'))).toBe(true)
    expect(fake.lines.join('\n')).toContain('would run it')
  })

  it('enables nothing with --no-start', () => {
    const fake = fakeHost()
    init(fake, { start: false })
    expect(fake.commands.join('\n')).not.toContain('enable')
  })

  it('stops at a step that fails, and says why on one line', () => {
    const fake = fakeHost((line) =>
      line.startsWith('useradd') ? { code: 1, stderr: 'useradd: no\x1b[31m\nmore\n' } : {},
    )
    expect(failure(() => init(fake))).toContain('useradd: no?[31m')
    expect(fake.lines.at(-1)).toMatch(/^\[FAIL\] useradd .*: useradd: no\?\[31m$/)
    expect(files(fake.prefix)).toEqual({})
  })

  it('writes nothing when one value fits in no unit', () => {
    const fake = fakeHost()
    const unit = { description: 'two\nlines' }
    expect(failure(() => init(fake, { pipelines: [{ ...PIPELINE, unit }] }))).toContain(
      'description',
    )
    expect(fake.lines).toEqual([])
    expect(readdirSync(fake.prefix)).toEqual([])
  })

  it('gives nothing away through a link that somebody has put in the place of a directory', () => {
    const fake = fakeHost()
    const elsewhere = mkdtempSync(join(tmpdir(), 'decnet-elsewhere-'))
    mkdirSync(join(fake.prefix, 'var/lib'), { recursive: true })
    symlinkSync(elsewhere, join(fake.prefix, 'var/lib/decnet'))
    expect(failure(() => init(fake))).toContain('symbolic link')
    expect(statSync(elsewhere).mode & 0o777).toBe(0o700)
  })

  it.each([
    ['rel', /not absolute/],
    ['/srv/a b', /other than/],
    ['/srv/../etc', /other than/],
    ['/srv/%h', /other than/],
  ])('refuses the install directory %s', (installDir, message) =>
    expect(() => checkHost({ ...HOST, installDir })).toThrow(message),
  )

  it.each(['', '-x', 'Root', 'a b', 'a:b', 'x\n'])('refuses the user %j', (user) =>
    expect(() => checkHost({ ...HOST, user })).toThrow(/no name of a user/),
  )
})

describe('deinit', () => {
  it('removes what init has put there, and keeps the data', () => {
    const fake = fakeHost()
    init(fake)
    writeFileSync(join(fake.prefix, 'var/log/decnet/events.jsonl'), '{}\n')
    deinit(fake)
    expect(files(fake.prefix)).toEqual({ '/var/log/decnet/events.jsonl': '{}\n' })
    expect(fake.commands).toContain('systemctl disable --now decnet-reuse-correlator.service')
    expect(fake.commands.join('\n')).not.toContain('userdel')
  })

  it('removes data and accounts with --purge', () => {
    const fake = fakeHost()
    init(fake)
    deinit(fake, { purge: true })
    expect(existsSync(join(fake.prefix, 'var/lib/decnet'))).toBe(false)
    expect(existsSync(join(fake.prefix, 'var/log/decnet'))).toBe(false)
    expect(fake.commands.slice(-2)).toEqual(['userdel u1', 'groupdel g1'])
  })

  it('does nothing on a clean host, and nothing is wrong with that', () => {
    const fake = fakeHost(() => ({ code: 1, stderr: 'Unit decnet.target does not exist' }))
    deinit(fake)
    expect(fake.lines.filter((line) => line.startsWith('[SKIP]')).length).toBeGreaterThanOrEqual(5)
    expect(fake.lines.every((line) => line.startsWith('[SKIP]'))).toBe(true)
  })

  it('touches nothing in a dry run', () => {
    const fake = fakeHost()
    init(fake)
    const before = files(fake.prefix)
    deinit(fake, { purge: true, dryRun: true })
    expect(files(fake.prefix)).toEqual(before)
    expect(fake.commands).toEqual([])
  })
})

describe('the polkit rule', () => {
  /** Runs the rule as polkit would. */
  function ask(unit: string, group = 'g1', id = 'org.freedesktop.systemd1.manage-units'): string {
    const fake = fakeHost()
    init(fake)
    const rule = files(fake.prefix)['/etc/polkit-1/rules.d/50-decnet-workers.rules'] ?? ''
    let asked: ((action: object, subject: object) => string) | undefined
    const polkit = {
      Result: { YES: 'yes', NOT_HANDLED: 'not handled' },
      addRule: (added: typeof asked) => {
        asked = added
      },
    }
    new Function('polkit', rule)(polkit)
    const action = { id, lookup: (key: string) => (key === 'unit' ? unit : undefined) }
    return asked?.(action, { isInGroup: (name: string) => name === group }) ?? ''
  }

  it.each(['decnet-mutator.service', 'decnet-campaign-clusterer.service', 'decnet.target'])(
    'lets the group start %s',
    (unit) => expect(ask(unit)).toBe('yes'),
  )

  it.each(['sshd.service', 'decnet-a.service.d', 'decnet-.service', 'decnet-a.service\nx'])(
    'has nothing to say about %j',
    (unit) => expect(ask(unit)).toBe('not handled'),
  )

  it('has nothing to say about others, nor about other actions', () => {
    expect(ask('decnet.target', 'users')).toBe('not handled')
    expect(ask('decnet.target', 'g1', 'org.freedesktop.systemd1.manage-unit-files')).toBe(
      'not handled',
    )
  })
})

describe('the runtime', () => {
  const installDir = mkdtempSync(join(tmpdir(), 'decnet-install-'))
  const find = (more: object = {}) =>
    findRuntime({ given: undefined, installDir, virtualEnv: undefined, ...more })

  it('is said to be nowhere, with all that was searched', () => {
    expect(() => find()).toThrow(`no bin/decnet in ${installDir}/venv, ${installDir}/.venv`)
  })

  it('is found in the install directory, and never in a home', () => {
    mkdirSync(join(installDir, '.venv/bin'), { recursive: true })
    writeFileSync(join(installDir, '.venv/bin/decnet'), '')
    expect(find({ virtualEnv: '/home/a/venv' })).toBe(`${installDir}/.venv`)
  })

  it('is where it was said to be, or nowhere', () => {
    expect(() => find({ given: '/nowhere' })).toThrow('no bin/decnet in /nowhere')
  })
})
