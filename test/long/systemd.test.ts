/** Units on a real systemd: they come up, hang, are stopped, and leave nothing behind. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  canHostSystemd,
  type SystemdHost,
  startSystemdHost,
  until,
} from '../services/systemd_host.ts'

const hasBus = existsSync(join(import.meta.dirname, '../../cli/bus_serve.ts'))
const UNITS = [
  'ingest',
  'correlate',
  'cowrie',
  'sniffer',
  'reuse-correlator',
  'profiler',
  'ticks',
  ...(hasBus ? ['bus'] : []),
]

const TICKS = `name: ticks
description: A pipeline that can be made to hang
sources:
  s: { type: interval, period: 1s }
sinks:
  n: { type: ndjson_file, inputs: [s], path: "/var/log/decnet/\${secret:ticks_name}.ndjson" }
unit: { description: ticks, watchdog: 5s }
`

/** The one decky is the host itself, where the test knocks. */
const STATE = JSON.stringify({
  config: { interface: 'lo', deckies: [{ name: 'web-01', ip: '127.0.0.1' }] },
})

const LINE =
  '<134>1 2026-03-01T09:00:01.123456+00:00 web-01 auth-helper - auth_attempt [relay@55555 username="root" secret_printable="hunter2" secret_b64="aHVudGVyMg==" src_ip="198.51.100.7"]'

describe.runIf(canHostSystemd())('a host with a real systemd', () => {
  let host: SystemdHost | undefined
  beforeAll(async () => {
    host = await startSystemdHost()
  }, 15 * 60_000)
  afterAll(async () => host?.stop(), 120_000)

  const run = (command: string): string => host?.run(command).output.trim() ?? ''
  const show = (unit: string, property: string) =>
    run(`systemctl show -p ${property} --value decnet-${unit}.service`)
  const allAre = (state: string) => () => UNITS.every((unit) => show(unit, 'ActiveState') === state)

  it('brings every unit up with READY', async ({ skip }) => {
    if (!host) return skip()
    run(`mkdir -p /etc/decnet/pipelines; cat > /etc/decnet/pipelines/ticks.yaml <<'Y'\n${TICKS}Y`)
    run(`mkdir -p /var/lib/decnet; cat > /var/lib/decnet/decnet-state.json <<'S'\n${STATE}\nS`)
    run('install -D -m 600 /dev/stdin /etc/credstore/decnet.ticks_name <<< known-to-few')
    const { code, output } = host.run('/opt/decnet/bin/decnet init')
    expect(output).not.toContain('[FAIL]')
    expect(code).toBe(0)
    expect(await until(allAre('active'), 180)).toBe(true)
    for (const unit of UNITS) {
      expect(show(unit, 'StatusText')).toContain('running')
      expect(show(unit, 'NRestarts')).toBe('0')
    }
    expect(run('/opt/decnet/bin/decnet status')).toMatch(/decnet-ingest\.service +active +running/)
    expect(host.run('/opt/decnet/bin/decnet init').output).toMatch(/unit files up to date/)
  })

  it('lets the hardened units do their work', async ({ skip }) => {
    if (!host) return skip()
    // As the user of the units, of which one writes to the file too.
    run(`runuser -u decnet -- tee -a /var/log/decnet/decnet.log <<'L'\n${LINE}\nL`)
    const rows = `const { default: Database } = await import('/opt/decnet/node_modules/better-sqlite3/lib/index.js')
      const db = new Database('/var/lib/decnet/decnet.db', { readonly: true })
      console.log(db.prepare('select count(*) as n from logs').get().n)`
    const count = () =>
      run(`/opt/decnet/node_modules/node/bin/node --input-type=module -e "${rows}" 2>/dev/null`)
    // The sniffer may have seen something meanwhile, and the ingester reads that too.
    expect(await until(() => Number(count()) >= 1, 60)).toBe(true)
  })

  it('captures packets with no right but the one its unit keeps', async ({ skip }) => {
    if (!host) return skip()
    const knock = () => run('(exec 3<>/dev/tcp/127.0.0.1/9); tail -n 50 /var/log/decnet/decnet.log')
    expect(await until(() => knock().includes(' sniffer - tcp_syn_fingerprint '), 30)).toBe(true)
    expect(run('stat -c %U $(dirname $(grep -lx tcpdump /proc/[0-9]*/comm))')).toBe('decnet')
  })

  it('hands a secret to the pipeline that names it, and to no other', async ({ skip }) => {
    if (!host) return skip()
    // Only root can read where it is kept, and the unit runs as another.
    expect(run('stat -c "%a %U" /etc/credstore/decnet.ticks_name')).toBe('600 root')
    const written = () => host?.run('test -s /var/log/decnet/known-to-few.ndjson').code === 0
    expect(await until(written, 60)).toBe(true)
    const folder = '/run/credentials/decnet-ticks.service'
    expect(run(`stat -c "%a %U" ${folder} ${folder}/ticks_name`)).toBe('500 decnet\n400 decnet')
    expect(run('find /run/credentials/decnet-ingest.service -type f')).toBe('')
    expect(run('journalctl --no-pager; systemctl cat "decnet-*"')).not.toContain('known-to-few')
  })

  it('kills a pipeline that hangs, and starts it anew', async ({ skip }) => {
    if (!host) return skip()
    const restarts = () => Number(show('ticks', 'NRestarts'))
    // A machine that is slow enough has lost it to the watchdog before.
    const before = restarts()
    run('systemctl kill --signal=STOP --kill-whom=main decnet-ticks')
    const back = () => restarts() > before && show('ticks', 'ActiveState') === 'active'
    expect(await until(back, 60)).toBe(true)
    expect(run('journalctl -u decnet-ticks --no-pager')).toContain('Watchdog timeout')
  })

  it('tries a file that is wrong once, says what is wrong, and waits for a person', async ({
    skip,
  }) => {
    if (!host) return skip()
    const file = '/etc/decnet/pipelines/ticks.yaml'
    run(`sed -i s/interval/intervall/ ${file}`)
    expect(host.run('systemctl restart decnet-ticks').code).not.toBe(0)
    // Longer than RestartSec=: a repeat would have begun.
    await until(() => false, 8)
    expect(show('ticks', 'ActiveState')).toBe('failed')
    expect(show('ticks', 'ExecMainStatus')).toBe('78')
    expect(show('ticks', 'NRestarts')).toBe('0')
    expect(run('journalctl -u decnet-ticks --no-pager')).toContain('did you mean "interval"')
    run(`sed -i s/intervall/interval/ ${file}; systemctl reset-failed decnet-ticks`)
    expect(host.run('systemctl start decnet-ticks').code).toBe(0)
  })

  it('stops everything with the target, drained and in time', async ({ skip }) => {
    if (!host) return skip()
    const start = Date.now()
    run('systemctl stop decnet.target')
    await until(allAre('inactive'), 40)
    const states = UNITS.map((unit) => `${unit} ${show(unit, 'ActiveState')}`)
    expect(states).toEqual(UNITS.map((unit) => `${unit} inactive`))
    expect(Date.now() - start).toBeLessThan(30_000)
    for (const unit of UNITS) expect(show(unit, 'Result')).toBe('success')
    const { code } = host.run('/opt/decnet/bin/decnet start && sleep 1')
    expect(code).toBe(0)
    expect(await until(allAre('active'), 180)).toBe(true)
  })

  it('leaves nothing behind after deinit --purge', ({ skip }) => {
    if (!host) return skip()
    run('rm -r /etc/decnet/pipelines /etc/credstore/decnet.*')
    const { code, output } = host.run('/opt/decnet/bin/decnet deinit --purge')
    expect(output).not.toContain('[FAIL]')
    expect(code).toBe(0)
    expect(run("find / -xdev -not -path '/opt/decnet*' -iname '*decnet*'; ls /run")).not.toContain(
      'decnet',
    )
    expect(
      run(
        'getent passwd decnet; getent group decnet; ls -l /proc/[0-9]*/exe 2>/dev/null | grep bin/node',
      ),
    ).toBe('')
    expect(run("systemctl list-units --all --no-legend 'decnet*'")).toBe('')
  })
})
