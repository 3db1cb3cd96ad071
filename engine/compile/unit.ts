/** The `unit:` block: what the pipeline's systemd unit needs to know. */
import { type Static, Type } from 'typebox'
import { duration, size } from '../fields.ts'
import type { Settings } from '../plan.ts'
import type { Problems } from './source_text.ts'
import type { Entry } from './tree.ts'

const NAME = '^[a-z_][a-z0-9_-]{0,31}$'
const UNIT = '^[A-Za-z0-9@_.:-]{1,200}\\.(service|socket|target|mount|path|timer)$'
// systemd takes quotes, backslashes, blanks and percent signs for its own.
const PATH = '^/[A-Za-z0-9@+=:,./_-]{0,500}$'
/** Entries of one list: a unit is read by people. */
const MOST = 64

const names = (description: string, pattern = NAME) =>
  Type.Optional(
    Type.Array(Type.String({ pattern }), { uniqueItems: true, maxItems: MOST, description }),
  )

export const unitSchema = Type.Object(
  {
    description: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^[^\\x00-\\x1f"\'\\\\]*$',
      description: 'Description of the unit, one line without quotes and backslashes.',
    }),
    user: Type.Optional(
      Type.String({ pattern: NAME, description: 'User the unit runs as, if not the default one.' }),
    ),
    group: Type.Optional(
      Type.String({
        pattern: NAME,
        description: 'Group the unit runs as, if not the default one.',
      }),
    ),
    groups: names('Supplementary groups, e.g. docker.'),
    capabilities: names(
      'Capabilities kept, bounding and ambient, e.g. CAP_NET_BIND_SERVICE; without it none.',
      '^CAP_[A-Z_]{1,40}$',
    ),
    address_families: names(
      'Socket families beside AF_UNIX, AF_INET and AF_INET6, e.g. AF_PACKET to capture.',
      '^AF_[A-Z0-9]{1,20}$',
    ),
    after: names('Units to start after, e.g. mariadb.service.', UNIT),
    wants: names('Units to start too, and after, e.g. nats-server.service.', UNIT),
    requires: names(
      'Units it cannot do without, and starts after, e.g. docker.service: if one is stopped, so is this.',
      UNIT,
    ),
    credentials: names(
      'Credentials the program asks for beside those the pipeline names, e.g. secret_key.',
      '^[a-z][a-z0-9_]{0,63}$',
    ),
    writable_paths: names('Directories the unit may write, beside its own state.', PATH),
    home: Type.Optional(
      Type.Boolean({
        description: 'true: the unit may read home directories. Default: it sees none.',
      }),
    ),
    memory_max: Type.Optional(
      size({
        description: 'Memory, at most: beyond it the kernel ends the unit, and it starts anew.',
      }),
    ),
    watchdog: Type.Optional(
      duration({
        description:
          'Silence after which systemd kills the unit and starts it anew, 3s to 1h. Default: 30s.',
      }),
    ),
    stop_timeout: Type.Optional(
      duration({
        description:
          'Time a stop may take before the unit is killed, more than settings.shutdown_timeout. ' +
          'Default: that and 10s.',
      }),
    ),
  },
  { description: 'What the systemd unit of this pipeline needs.' },
)

export type Unit = Static<typeof unitSchema>

/** Below it a garbage collection on a busy host could pass for a hang. */
const SHORTEST_WATCHDOG = 3000
const LONGEST_WATCHDOG = 3_600_000

/** What a schema cannot say: bounds of durations, and that a stop has its time. */
export function checkUnit(
  { watchdog, stop_timeout }: Unit,
  settings: Settings | undefined,
  { value: tree, keySpan }: Entry,
  problems: Problems,
): void {
  const spanOf = (key: string) =>
    (tree.kind === 'map' ? tree.entries.get(key)?.value.span : undefined) ?? keySpan
  if (watchdog !== undefined && (watchdog < SHORTEST_WATCHDOG || watchdog > LONGEST_WATCHDOG)) {
    problems.error('BAD_SETTING', spanOf('watchdog'), '"unit.watchdog" must be from 3s to 1h')
  }
  if (stop_timeout === undefined || settings === undefined) return
  if (stop_timeout > settings.shutdownTimeout) return
  const message = `"unit.stop_timeout" must be more than settings.shutdown_timeout (${settings.shutdownTimeout}ms)`
  problems.error('BAD_SETTING', spanOf('stop_timeout'), message, {
    help: 'or systemd kills the pipeline in the middle of its last checkpoint.',
  })
}
