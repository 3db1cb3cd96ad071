/** Who may show up as a worker, and in which order workers are started. */

/**
 * Name of a worker: of its heartbeat, its row and its unit `decnet-<name>.service`.
 * @see spec/workers-and-systemd.md section 5
 */
export const WORKER_NAME = /^[a-z][a-z0-9_-]{0,63}$/

/** Rows in the order of the workers API; a heartbeat under another name adds none. */
const REGISTERED = [
  ...['api', 'bus', 'collector', 'profiler', 'sniffer', 'prober', 'mutator', 'reconciler'],
  ...['reuse-correlator', 'enrich', 'clusterer', 'campaign-clusterer', 'webhook', 'orchestrator'],
  ...['agent', 'forwarder', 'updater'],
] as const

/** What others lean on comes first. */
const STARTED_FIRST = ['bus', 'api'] as const

/**
 * @param pipelines names of the pipelines of this host; those that are no names of workers are left out
 * @returns the names of the registry, then the other pipelines by name
 */
export function workerNames(pipelines: readonly string[]): readonly string[] {
  const known = new Set<string>(REGISTERED)
  const more = pipelines.filter((name) => WORKER_NAME.test(name) && !known.has(name))
  return [...REGISTERED, ...new Set(more.sort())]
}

/** @returns `names` in the order in which they are to be started, one after the other */
export function startOrder(names: readonly string[]): readonly string[] {
  const first = STARTED_FIRST.filter((name) => names.includes(name))
  return [...first, ...names.filter((name) => !first.some((other) => other === name))]
}
