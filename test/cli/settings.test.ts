import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findSecret, secretFault, withDatabasePassword } from '../../cli/secret_policy.ts'
import { loadSettings } from '../../cli/settings.ts'
import { decnetHere } from './decnet_here.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'decnet-settings-'))

function iniFile(text: string): string {
  const file = join(folder(), 'decnet.ini')
  writeFileSync(file, text)
  return file
}

async function load(ini: string, more: Record<string, string> = {}, cwd = folder()) {
  const env: Record<string, string | undefined> = { DECNET_CONFIG: iniFile(ini), ...more }
  return { env, ...(await loadSettings(env, cwd)) }
}

describe('decnet.ini', () => {
  it('sets what its role section says, and not what the other does', async () => {
    const { env } = await load(
      '[decnet]\nmode=agent\n[agent]\nagent-port=8765\n[master]\napi-port=9999\n',
    )
    expect(env.DECNET_AGENT_PORT).toBe('8765')
    expect(env.DECNET_API_PORT).toBeUndefined()
  })

  it('lets the common section win over the role, and the role over the others', async () => {
    const swarm = '[swarm]\nswarmctl-port=9\n'
    const master = '[master]\nswarmctl-port=8\n'
    expect((await load(swarm)).env.DECNET_SWARMCTL_PORT).toBe('9')
    expect((await load(swarm + master)).env.DECNET_SWARMCTL_PORT).toBe('8')
    const all = `${swarm}${master}[decnet]\nswarmctl-port=7\n`
    expect((await load(all)).env.DECNET_SWARMCTL_PORT).toBe('7')
  })

  it('leaves alone what the environment says, even nothing', async () => {
    const ini = '[api]\nport=8000\nhost=::1\n'
    const { env, origins } = await load(ini, { DECNET_API_PORT: '5555', DECNET_API_HOST: '' })
    expect(env.DECNET_API_PORT).toBe('5555')
    expect(env.DECNET_API_HOST).toBe('')
    expect(origins.size).toBe(0)
  })

  it('warns of a key that is none, and goes on', async () => {
    const { env, warnings } = await load('[web]\nadmin_user=x\n[nonsense]\na=b\n')
    expect(env.DECNET_ADMIN_USER).toBeUndefined()
    expect(warnings).toEqual([
      expect.stringMatching(/decnet\.ini:2: \[web\] has no key "admin_user"/),
    ])
  })

  it.each([
    '[master]\njwt-secret=x',
    '[decnet]\nadmin-password=hunter2',
    '[decnet]\ndeveloper=true',
    '[decnet]\nembed-sniffer=1',
    '[master]\ngreynoise-api-key=k',
  ])('drops %j with a warning that does not show it', async (ini) => {
    const { origins, warnings } = await load(ini)
    expect([...origins]).toEqual([])
    expect(warnings).toHaveLength(1)
    expect(warnings.join()).not.toContain('hunter2')
  })

  it('takes a percent sign for what it is', async () => {
    const { env } = await load('[database]\nurl = mysql://u:p%40ss@h/db\n')
    expect(env.DECNET_DB_URL).toBe('mysql://u:p%40ss@h/db')
  })

  it('takes a comment after a value for one', async () => {
    const { env } = await load('[decnet]\nmode = master   # or agent\n')
    expect(env.DECNET_MODE).toBe('master')
  })

  it.each([
    ['[decnet]\nmode=both\n', {}, /decnet\.ini:2: mode is "both"/],
    ['', { DECNET_MODE: 'both' }, /mode is "both"/],
    ['[api]\nport=99999\n', {}, /decnet\.ini:2: DECNET_API_PORT is "99999"/],
    ['', { DECNET_API_PORT: 'abc' }, /^DECNET_API_PORT is "abc"/],
    ['', { DECNET_WEB_PORT: '0' }, /^DECNET_WEB_PORT/],
    ['x = y\n', {}, /decnet\.ini:1: key "x" is in no section/],
  ])('refuses %j with %j', async (ini, env, message) => {
    await expect(load(ini, env)).rejects.toThrow(message)
  })
})

describe('the .env files', () => {
  it('come before the INI if local, after it if not, as under systemd', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, '.env.local'), 'DECNET_API_PORT=1\nNODE_OPTIONS=--inspect\n')
    writeFileSync(join(cwd, '.env'), 'DECNET_API_PORT=3\nDECNET_API_HOST=c\nDECNET_WEB_HOST=d\n')
    const { env, origins } = await load('[api]\nport=2\nhost=b\n', {}, cwd)
    expect(env).toMatchObject({
      DECNET_API_PORT: '1',
      DECNET_API_HOST: 'b',
      DECNET_WEB_HOST: 'd',
    })
    expect(env.NODE_OPTIONS).toBeUndefined()
    expect(origins.get('DECNET_WEB_HOST')).toBe(join(cwd, '.env'))
  })
})

describe('secrets', () => {
  const env = (text: string) => {
    const CREDENTIALS_DIRECTORY = folder()
    writeFileSync(join(CREDENTIALS_DIRECTORY, 'db_password'), text)
    return { CREDENTIALS_DIRECTORY, DECNET_DB_TYPE: 'mysql' }
  }

  it('come from systemd where the environment has none', () => {
    expect(withDatabasePassword(env('s3cure\n')).DECNET_DB_PASSWORD).toBe('s3cure')
    const both = { ...env('other'), DECNET_DB_PASSWORD: 'mine' }
    expect(findSecret('DECNET_DB_PASSWORD', both)?.value).toBe('mine')
  })

  it("are not asked for where no server is: what is wrong with them is in nobody's way", () => {
    expect(() =>
      withDatabasePassword({ ...env('changeme'), DECNET_DB_TYPE: 'SQLite' }),
    ).not.toThrow()
    expect(() => withDatabasePassword({ CREDENTIALS_DIRECTORY: '/dev/null' })).not.toThrow()
  })

  it('are refused without being shown where everybody knows them', () => {
    expect(() => withDatabasePassword(env('ChangeMe'))).toThrow(/everybody knows/)
    expect(() => withDatabasePassword(env('ChangeMe'))).not.toThrow(/ChangeMe/)
  })

  it('have to be long, unless for a developer', () => {
    const name = 'DECNET_JWT_SECRET'
    expect(secretFault(name, 'changeme', { DECNET_DEVELOPER: 'true' })).toMatch(/everybody/)
    expect(secretFault(name, 'short', {})).toMatch(/less than 32/)
    expect(secretFault(name, 'short', { DECNET_DEVELOPER: 'True' })).toBeUndefined()
    expect(secretFault(name, 'x'.repeat(32), {})).toBeUndefined()
    expect(secretFault('DECNET_ADMIN_PASSWORD', 'x'.repeat(11), {})).toMatch(/less than 12/)
    expect(secretFault(name, 'changeme', { DECNET_TESTING: '1' })).toBeUndefined()
  })
})

describe('decnet config', () => {
  it('shows what holds, where it is from, and no secret', async () => {
    const cwd = folder()
    mkdirSync(join(cwd, 'c'))
    writeFileSync(join(cwd, 'c/jwt_secret'), 'a-secret-of-more-than-thirty-two-characters')
    const DECNET_CONFIG = iniFile('[api]\nport=8100\n[database]\nurl=mysql://u:hunter2@h/db\n')
    const env = {
      DECNET_CONFIG,
      CREDENTIALS_DIRECTORY: join(cwd, 'c'),
      DECNET_ADMIN_PASSWORD: 'hunter2',
      DECNET_WEB_HOST: '::1',
    }
    const { code, stdout } = await decnetHere(['config', '-o', 'json'], { cwd, env })
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/hunter2|a-secret-of/)
    const rows = JSON.parse(stdout) as { variable: string; value: string; from: string }[]
    const row = (name: string) => rows.find(({ variable }) => variable === name)
    expect(row('DECNET_API_PORT')).toMatchObject({ value: '8100', from: `${DECNET_CONFIG}:2` })
    expect(row('DECNET_WEB_HOST')).toMatchObject({ value: '::1', from: 'environment' })
    expect(row('DECNET_WEB_PORT')).toMatchObject({ value: '8080', from: 'default' })
    expect(row('DECNET_DB_URL')?.value).toBe('mysql://u:***@h/db')
    expect(row('DECNET_JWT_SECRET')).toMatchObject({
      value: '(set)',
      from: join(cwd, 'c/jwt_secret'),
    })
    expect(row('DECNET_ADMIN_PASSWORD')?.value).toMatch(/^\(set, but refused: /)
  })

  it('ends every command with one line where the file is wrong', async () => {
    const DECNET_CONFIG = iniFile('[decnet]\nmode=both\n')
    const { code, stdout, stderr } = await decnetHere(['pipeline', 'list'], {
      env: { DECNET_CONFIG },
    })
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toBe(
      `error[SETTINGS]: ${DECNET_CONFIG}:2: mode is "both"; expected agent or master\n`,
    )
  })
})

describe('an agent', () => {
  const help = async (env: object) => (await decnetHere(['--help'], { env })).stdout

  it('does not know what only a master does', async () => {
    expect(await help({ DECNET_MODE: 'agent' })).not.toContain('decnet init')
    expect((await decnetHere(['init', '--dry-run'], { env: { DECNET_MODE: 'agent' } })).code).toBe(
      64,
    )
  })

  it.each(['1', 'yes', 'true'])('is still one where DECNET_DISALLOW_MASTER is %s', async (word) => {
    const env = { DECNET_MODE: 'agent', DECNET_DISALLOW_MASTER: word }
    expect(await help(env)).not.toContain('decnet init')
  })

  it('may be both', async () => {
    const env = { DECNET_MODE: 'Agent', DECNET_DISALLOW_MASTER: 'false' }
    expect(await help(env)).toContain('decnet init')
  })
})
