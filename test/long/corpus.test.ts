/** Real logs, end to end; the answers are those of the corpus' own tables. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { eventsOf, summaryOf } from './pipelines.ts'

const corpus = join(root, '../shared/corpus')
const present = existsSync(corpus)
if (!present) process.stderr.write('tests on real logs are skipped: ../shared/corpus is not here\n')

/** Replays `capture` and checks that every line of it is accounted for. */
function replayed(pipeline: string, capture: string, sinks: readonly string[]) {
  const dir = scratchFolder()
  const out = join(dir, 'out')
  const sinkArgs = [out, ...sinks].flatMap((sink) => ['--sink', sink])
  const args = ['pipeline', 'replay', pipeline, '--capture', capture, ...sinkArgs]
  const { code, stderr } = decnet(args)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  const { sources, nodes } = Object.values(summaryOf(out).pipelines)[0] ?? {}
  const read = sources?.lines?.read ?? 0
  const { in: came = 0, out: passed = 0, filtered = 0, dead_lettered = 0 } = nodes?.parsed ?? {}
  expect(came).toBe(read)
  expect(passed + filtered + dead_lettered).toBe(read)
  return {
    out,
    read,
    passed,
    filtered,
    dead: dead_lettered,
    done: () => rmSync(dir, { recursive: true }),
  }
}

describe.skipIf(!present)('real logs', () => {
  it('of five Cowrie sensors come out as the rows, sessions and logins they hold', () => {
    const folder = join(corpus, 'honeypot-logs/tpot-0xsha')
    const files = readdirSync(folder).filter((name) => name.startsWith('cowrie.json'))
    expect(files).toHaveLength(5)
    const database = join(scratchFolder(), 'cowrie.db')
    const totals = { read: 0, dead: 0, filtered: 0 }
    const sessions = new Set<unknown>()
    for (const name of files) {
      const sinks = [`db=sqlite:${database}`]
      const { out, read, dead, filtered, done } = replayed('cowrie', join(folder, name), sinks)
      totals.read += read
      totals.dead += dead
      totals.filtered += filtered
      for (const { data } of eventsOf(out, 'cowrie.rows')) {
        sessions.add((data.fields as Record<string, string>).sid)
      }
      done()
    }
    expect(totals).toEqual({ read: 137_724, dead: 1, filtered: 0 })
    expect(sessions.size).toBe(20_389)
    const file = new Database(database, { readonly: true })
    const value = (sql: string) => Object.values(file.prepare(sql).get() as object)[0]
    expect(value('SELECT COUNT(*) FROM logs')).toBe(137_723)
    expect(value('SELECT COUNT(DISTINCT attacker_ip) FROM logs')).toBe(586)
    expect(value('SELECT SUM(attempt_count) FROM credentials')).toBe(21_017)
    const pairs = 'SELECT DISTINCT principal_key, secret_sha256 FROM credentials'
    expect(value(`SELECT COUNT(*) FROM (${pairs})`)).toBe(8_112)
    const shared = `SELECT 1 FROM credentials GROUP BY principal_key, secret_sha256
      HAVING COUNT(DISTINCT attacker_ip) >= 2`
    expect(value(`SELECT COUNT(*) FROM (${shared})`)).toBe(805)
    file.close()
    rmSync(database)
  })

  it('of five Cowrie sensors go from lines to attackers and reused credentials', () => {
    const folder = join(corpus, 'honeypot-logs/tpot-0xsha')
    const files = readdirSync(folder).filter((name) => name.startsWith('cowrie.json'))
    const dir = scratchFolder()
    const capture = join(dir, 'cowrie.json.gz')
    // Members of gzip one after the other are one file.
    writeFileSync(capture, Buffer.concat(files.map((name) => readFileSync(join(folder, name)))))
    const database = join(dir, 'cowrie.db')
    const chain = ['cowrie', 'reuse-correlator', 'profiler']
    const args = ['pipeline', 'replay', ...chain, '--capture', capture]
    const { code, stderr } = decnet([...args, '--sink', `db=sqlite:${database}`])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const file = new Database(database, { readonly: true })
    const value = (sql: string) => Object.values(file.prepare(sql).get() as object)[0]
    expect(value('SELECT COUNT(*) FROM attackers')).toBe(586)
    expect(
      value(`SELECT COUNT(*) FROM attackers WHERE
        event_count <> (SELECT COUNT(*) FROM logs WHERE attacker_ip = ip) OR
        credential_count <> (SELECT COUNT(*) FROM credentials WHERE attacker_ip = ip) OR
        bounty_count <> (SELECT COUNT(*) FROM bounty WHERE attacker_ip = ip)`),
    ).toBe(0)
    expect(
      value(`SELECT COUNT(*) FROM attackers WHERE
        instr(fingerprints, '"hassh"') > 0 <> EXISTS (SELECT 1 FROM bounty
          WHERE attacker_ip = ip AND instr(payload, '"fingerprint_type":"hassh"') > 0)`),
    ).toBe(0)
    expect(value('SELECT COUNT(*) FROM credentials WHERE attacker_uuid IS NULL')).toBe(0)
    expect(value('SELECT COUNT(*) FROM credential_reuse')).toBe(501)
    const K = 'secret_sha256, secret_kind, principal_key'
    expect(
      value(`SELECT COUNT(*) FROM credential_reuse JOIN
        (SELECT ${K}, SUM(n) AS attempts, COUNT(*) AS targets FROM
          (SELECT ${K}, decky_name, service, SUM(attempt_count) AS n FROM credentials
            GROUP BY ${K}, decky_name, service)
          GROUP BY ${K} HAVING COUNT(*) >= 2) USING (${K})
        WHERE attempt_count = attempts AND target_count = targets`),
    ).toBe(501)
    expect(value('SELECT MAX(target_count) FROM credential_reuse')).toBe(9)
    file.close()
    rmSync(dir, { recursive: true })
  })

  it('of a network of Windows and Linux hosts are all read as syslog', () => {
    const dir = scratchFolder()
    const capture = join(dir, 'syslog.log')
    const packed = readFileSync(join(corpus, 'syslog/wrccdc-zeek-syslog.json.gz'))
    const severities: Record<string, number> = { INFO: 6, NOTICE: 5, WARNING: 4, ERR: 3 }
    const lines = gunzipSync(packed).toString().trimEnd().split('\n')
    const messages = lines.map((line) => {
      const { severity, message } = JSON.parse(line)
      return `<${16 * 8 + (severities[severity] ?? Number.NaN)}>${message}`
    })
    writeFileSync(capture, `${messages.join('\n')}\n`)
    const { out, read, dead, done } = replayed('ingest', capture, [])
    expect({ read, dead }).toEqual({ read: 2_378, dead: 0 })
    expect(existsSync(join(out, 'dead_letters'))).toBe(false)
    done()
    rmSync(dir, { recursive: true })
  })
})
