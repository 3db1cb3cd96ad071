/** From pipelines to the text of their systemd units. */
import type { Unit } from '../engine/index.ts'
import { DeployError } from './deploy_error.ts'
import type { Host } from './host.ts'
import { renderTemplate } from './template.ts'
import { unitName } from './unit_name.ts'

/** A pipeline that is to have a unit. */
export interface PipelineUnit {
  /** the pipeline's file, for whoever reads the unit */
  readonly source: string
  readonly name: string
  readonly unit: Unit
  /** ms */
  readonly shutdownTimeout: number
  /** names of the secrets it refers to */
  readonly secrets: readonly string[]
}

/** ms; `unit.watchdog` where nothing is said */
const WATCHDOG = 30_000
/** ms a stop may take beyond its drain: the last checkpoint, the goodbye of sinks, the bus */
const AFTER_DRAIN = 10_000
/** Secrets that any pipeline may need without naming them: databases take their password so. */
const COMMON_SECRETS = ['db_password']
/** The unit of the bus, which no pipeline can have. */
const RESERVED = ['bus']

/**
 * @returns the text of the unit that runs one pipeline
 * @throws {DeployError} `UNIT_VALUE` on a value a unit cannot hold; `UNIT_FILE` on a name it cannot have
 */
export function pipelineUnitText(pipeline: PipelineUnit, host: Host): string {
  const { name, unit, source } = pipeline
  if (RESERVED.includes(name)) {
    throw new DeployError('UNIT_FILE', `a pipeline called ${name} would replace ${unitName(name)}`)
  }
  const { capabilities = [], groups = [], writable_paths = [], address_families = [] } = unit
  const { wants = [], requires = [], credentials = [] } = unit
  const secrets = [...new Set([...COMMON_SECRETS, ...credentials, ...pipeline.secrets])].sort()
  return renderTemplate('pipeline.service', {
    ...launch(host),
    name,
    source,
    description: unit.description,
    user: unit.user ?? host.user,
    group: unit.group ?? host.group,
    groups,
    wants,
    requires,
    after: [...new Set([...(unit.after ?? []), ...wants, ...requires])],
    credentials: secrets.map((secret) => `${secret}:decnet.${secret}`),
    capabilities,
    address_families,
    writable_paths,
    protect_home: unit.home ? 'read-only' : 'yes',
    memory_max: unit.memory_max === undefined ? [] : [String(unit.memory_max)],
    watchdog: seconds(unit.watchdog ?? WATCHDOG),
    stop_timeout: seconds(unit.stop_timeout ?? pipeline.shutdownTimeout + AFTER_DRAIN),
  })
}

const launch = ({ installDir, runtimeDir, interpreter }: Host) => ({
  install_dir: installDir,
  launcher: `${runtimeDir === '/' ? '' : runtimeDir}/bin/decnet`,
  interpreter: interpreter === undefined ? [] : [interpreter],
})

/** systemd takes a bare number for seconds; more than whole ones would be read by nobody. */
const seconds = (ms: number): string => String(Math.ceil(ms / 1000))

/**
 * Every unit of a host: the bus, one for each pipeline, and the target that starts them all.
 * @returns file name → text, sorted
 * @throws {DeployError} as `pipelineUnitText`
 */
export function hostUnits(pipelines: readonly PipelineUnit[], host: Host): Map<string, string> {
  const { user, group } = host
  const units = pipelines.map((one) => [unitName(one.name), pipelineUnitText(one, host)] as const)
  const bus = renderTemplate('bus.service', { ...launch(host), user, group })
  const services = new Map([
    ['decnet-bus.service', bus],
    ...units.sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
  const target = renderTemplate('decnet.target', { units: [...services.keys()] })
  return new Map([...services, ['decnet.target', target]])
}
