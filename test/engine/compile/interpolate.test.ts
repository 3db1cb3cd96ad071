import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redact, resolvedPipeline } from '../../../engine/compile.ts'
import { problemsText } from '../../../engine/problem_text.ts'
import { standIns } from '../../fixtures/components.ts'
import { codes, compiled, pipeline, planOf, withSource } from './compiled.ts'

const path = (value: string, env: Record<string, string> = {}) =>
  planOf(withSource(`{ type: tail, path: ${JSON.stringify(value)} }`), { env }).nodes[0]?.config
    .path

const FIFO_MAKER = 'mkfifo'

describe('a variable', () => {
  it.each([
    ['${DIR}/a.log', '/var/a.log'],
    ['${NONE:-/tmp}/a.log', '/tmp/a.log'],
    ['${EMPTY:-/tmp}/a.log', '/tmp/a.log'],
    ['a${EMPTY}b', 'ab'],
    ['${NONE:-}x', 'x'],
    ['${NONE:-a:-b}', 'a:-b'],
    ['$${DIR}', '${DIR}'],
    ['$$${DIR}', '$${DIR}'],
    ['$DIR $ {DIR} $', '$DIR $ {DIR} $'],
    ['${DIR}${DIR}', '/var/var'],
    ['${TRICK}', '${DIR}'],
    ['${YAML}', 'a: [b'],
  ])('in %s gives %s', (text, value) => {
    const env = { DIR: '/var', EMPTY: '', TRICK: '${DIR}', YAML: 'a: [b' }
    expect(path(text, env)).toBe(value)
  })

  it('is put in as it is, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        expect(path('${VALUE}', { VALUE: value })).toBe(value)
      }),
    )
  })

  it('counts as a number, true or false where one is wanted', () => {
    const text = withSource('{ type: wire, listen: a, port: "${PORT}" }')
    expect(planOf(text, { env: { PORT: '514' } }).nodes[0]?.config.port).toBe(514)
    const follow = withSource('{ type: tail, path: a, follow: "${FOLLOW}" }')
    expect(planOf(follow, { env: { FOLLOW: 'false' } }).nodes[0]?.config.follow).toBe(false)
    expect(codes(text, { env: { PORT: '5x' } })).toEqual(['TYPE 4:41'])
  })

  it('that does not fit is told by its value, at its reference', () => {
    const { problems } = compiled(withSource('{ type: wire, listen: a, port: "${PORT}" }'), {
      env: { PORT: '70000' },
    })
    const message = '"port" of source "lines" must be at least 1 and at most 65535, not "70000"'
    expect(problems).toContainEqual(expect.objectContaining({ code: 'RANGE', line: 4, message }))
  })

  it('quoted as text in the file itself is no number', () => {
    expect(codes(withSource('{ type: wire, listen: a, port: "514" }'))).toContain('TYPE 4:41')
  })

  it('that is not set is an error at its own place, and nothing more is said of the value', () => {
    const text = withSource('{ type: tail, path: a, poll: "1${UNIT}" }')
    expect(codes(text)).toEqual(['UNSET_VARIABLE 4:41'])
  })

  it.each(['constructor', '__proto__', 'toString'])('called %s is not set unless it is', (name) => {
    expect(codes(withSource(`{ type: tail, path: "\${${name}}" }`))).toEqual([
      'UNSET_VARIABLE 4:31',
    ])
  })

  it('is not looked for in keys, nor in tests', () => {
    const text = pipeline(
      'sources:\n  lines: { type: tail, path: a }\nsinks:\n  out: { type: print, inputs: [lines] }\n' +
        'tests:\n  - { name: "${jndi:ldap}", send: { lines: ["${jndi:ldap://x}"] }, expect: {} }\n',
    )
    expect(planOf(text).tests[0]).toMatchObject({
      name: '${jndi:ldap}',
      steps: [{ acts: [{ source: 'lines', items: ['${jndi:ldap://x}'] }] }],
    })
    expect(codes(withSource('{ type: tail, path: a, "${X}": 1 }'))).toEqual(['UNKNOWN_KEY 4:33'])
  })

  it('cannot make a file grow without bound', () => {
    const many = Array.from({ length: 100 }, () => '${BIG}').join('')
    const text = withSource(`{ type: tail, path: "${many}" }`)
    expect(codes(text, { env: { BIG: 'x'.repeat(100_000) } })).toEqual([
      expect.stringMatching('TOO_LARGE'),
    ])
  })
})

describe('a secret', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'decnet-secrets-'))
    mkdirSync(join(folder, 'systemd'))
    mkdirSync(join(folder, 'a_folder'))
    writeFileSync(join(folder, 'systemd', 'first'), 'from-systemd\n')
    writeFileSync(join(folder, 'first'), 'from-folder')
    writeFileSync(join(folder, 'second'), 'hunter2-very-secret\r\n')
    writeFileSync(join(folder, 'huge'), 'x'.repeat(70_000))
    writeFileSync(join(folder, 'blank'), '\n')
    execFileSync(FIFO_MAKER, [join(folder, 'fifo')])
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const env = () => ({
    CREDENTIALS_DIRECTORY: join(folder, 'systemd'),
    DECNET_SECRET_THE_KEY: 'by-env',
  })
  const secret = (name: string) =>
    withSource(`{ type: wire, listen: a, password: "\${secret:${name}}" }`)

  it.each([
    ['first', 'from-systemd'],
    ['second', 'hunter2-very-secret'],
    ['the.key', 'by-env'],
  ])('%s comes from the first place that has it', (name, value) => {
    const plan = planOf(secret(name), { env: env(), secretsDir: folder })
    expect(plan.nodes[0]?.config.password).toBe(value)
  })

  it('is also found by DECNET_SECRETS_DIR', () => {
    const plan = planOf(secret('second'), { env: { DECNET_SECRETS_DIR: folder } })
    expect(plan.nodes[0]?.config.password).toBe('hunter2-very-secret')
  })

  it.each([
    ['nowhere', 'no such file and no such variable'],
    ['huge', 'over 65536 bytes'],
    ['blank', 'empty'],
    ['a_folder', 'not a file'],
    ['fifo', 'not a file'],
  ])('%s is missing, and the problem says why', (name, reason) => {
    const { problems } = compiled(secret(name), { env: env(), secretsDir: folder })
    const wanted = { code: 'MISSING_SECRET', line: 4, message: expect.stringContaining(reason) }
    expect(problems).toContainEqual(expect.objectContaining(wanted))
  })

  it('is not looked for in the working directory when a variable is empty', () => {
    const empty = { CREDENTIALS_DIRECTORY: '', DECNET_SECRETS_DIR: '' }
    expect(codes(secret('package.json'), { env: empty })).toEqual(['MISSING_SECRET 4:46'])
  })

  it.each(['../second', '/etc/passwd', '.', '', 'a/b', 'a b'])('cannot be called %j', (name) => {
    expect(codes(secret(name), { env: env(), secretsDir: folder }).join()).toMatch(
      'BAD_INTERPOLATION',
    )
  })

  it.each([
    ['{ type: wire, listen: a, password: "xxxxxx ${secret:second}" }', 'RANGE'],
    ['{ type: wire, listen: a, port: "${secret:second}" }', 'TYPE'],
    ['{ type: wire, listen: a, tls: { cert: a, client_cert: "${secret:second}" } }', 'ENUM'],
    ['{ type: tail, path: a, poll: "${secret:second}" }', 'DURATION'],
    ['{ type: tail, path: a, max_line: "${secret:second}" }', 'SIZE'],
    ['{ type: "${secret:second}" }', 'UNKNOWN_TYPE'],
  ])('never shows in the problems of %s', (source, code) => {
    const text = withSource(source)
    const { problems } = compiled(text, { env: env(), secretsDir: folder })
    expect(problems.map((problem) => problem.code)).toContain(code)
    expect(JSON.stringify(problems) + problemsText(problems, text)).not.toMatch(/hunter2|very/)
  })

  it.each(['inputs: ["${secret:second}"]', 'inputs: [lines], where: "data.${secret:second} +"'])(
    'never shows in the problems of an operator with %s',
    (keys) => {
      const text = pipeline(
        `sources:\n  lines: { type: tail, path: a }\noperators:\n  op: { type: pass, ${keys} }\n` +
          'sinks:\n  out: { type: print, inputs: [op] }\n',
      )
      const { problems } = compiled(text, { secretsDir: folder })
      expect(problems.length).toBeGreaterThan(0)
      expect(JSON.stringify(problems)).not.toMatch(/hunter2|very/)
    },
  )

  it('stays a reference in the resolved pipeline, whatever it was read as', () => {
    writeFileSync(join(folder, 'port'), '5140')
    const source =
      '{ type: wire, listen: "${secret:second}", port: "${secret:port}", tls: { cert: "${NAME}" } }'
    const options = { registry: standIns, env: { NAME: 'n' }, secretsDir: folder }
    const { pipeline: shown } = resolvedPipeline(withSource(source), 'p.yaml', options)
    expect(shown?.sources).toEqual({
      lines: {
        type: 'wire',
        listen: '${secret:second}',
        port: '${secret:port}',
        tls: { cert: 'n', client_cert: 'none' },
      },
    })
  })

  it('can be taken out of a text, the longer one first', () => {
    const { secrets } = compiled(secret('second'), { secretsDir: folder })
    expect(secrets).toEqual(new Map([['second', 'hunter2-very-secret']]))
    const known = new Map([...secrets, ['short', 'hunter2']])
    expect(redact('a hunter2-very-secret b hunter2', known)).toBe(
      'a ${secret:second} b ${secret:short}',
    )
  })
})
