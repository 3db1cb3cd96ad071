/** What runs on this host: as systemd knows it, else by its processes. */
import type { CommandRunner } from '../deploy/command_runner.ts'
import type { WorkerProcess } from './processes.ts'
import { type UnitState, unitStates } from './systemctl.ts'
import { textTable } from './text_table.ts'

export type HostStatus =
  | { readonly by: 'systemd'; readonly services: readonly UnitState[] }
  | { readonly by: 'processes'; readonly services: readonly ProcessState[] }

interface ProcessState {
  readonly service: string
  readonly status: 'UP' | 'DOWN'
  readonly pid: number | null
}

/** @param names the pipelines that have a unit, whether they run or not */
export function hostStatus(
  run: CommandRunner,
  processes: () => readonly WorkerProcess[],
  names: () => readonly string[],
): HostStatus {
  const units = unitStates(run)
  if (units) return { by: 'systemd', services: units }
  const running = processes()
  const known = ['bus', ...names(), ...running.flatMap(({ workers }) => workers)]
  const services = [...new Set(known)].map((worker): ProcessState => {
    const found = running.find(({ workers }) => workers.includes(worker))
    return { service: worker, status: found ? 'UP' : 'DOWN', pid: found?.pid ?? null }
  })
  return { by: 'processes', services }
}

const GREEN = 32
const RED = 31
const YELLOW = 33

/** What stands in the table comes from unit files, so nothing but printable text is shown. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)

export function statusText(status: HostStatus, color: boolean): string {
  const paint = (line: string, code: number) => (color ? `\x1b[${code}m${line}\x1b[0m` : line)
  if (status.by === 'systemd') {
    const { services } = status
    if (services.length === 0) return 'No DECNET units here; sudo decnet init installs them.\n'
    const rows = services.map((one) =>
      [one.unit, one.active, one.sub, one.load, one.description].map(plain),
    )
    const table = textTable([['UNIT', 'ACTIVE', 'SUB', 'LOAD', 'DESCRIPTION'], ...rows])
    const [head = '', ...lines] = table.trimEnd().split('\n')
    const painted = lines.map((line, index) => {
      const active = services[index]?.active
      return paint(line, active === 'active' ? GREEN : active === 'failed' ? RED : YELLOW)
    })
    return `Services, as systemd knows them\n${[head, ...painted].join('\n')}\n`
  }
  const rows = status.services.map(({ service, status: up, pid }) => [
    plain(service),
    up,
    pid === null ? '-' : String(pid),
  ])
  const table = textTable([['SERVICE', 'STATUS', 'PID'], ...rows])
  return `Services by their processes: systemd does not answer\n${table}`
}
