/** Two hosts on one machine: network namespaces, joined by a cable (veth) that can be pulled. */
import { spawnSync } from 'node:child_process'

export interface Host {
  readonly address: string
  /** words in front of a command that is to run there */
  readonly within: readonly string[]
}

export interface TwoHosts {
  readonly hosts: readonly [Host, Host]
  unplug(): void
  plug(): void
  remove(): void
}

function ip(...args: string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0
}

function must(...args: string[]): void {
  if (!ip(...args)) throw new Error(`ip ${args.join(' ')}: failed`)
}

const hasIp = (): boolean => spawnSync('ip', ['-V'], { stdio: 'ignore' }).status === 0

/**
 * Whether namespaces can be made; says so where they cannot.
 * @throws {Error} on CI, where iproute2 must not be missing
 */
export function canHaveTwoHosts(): boolean {
  if (!hasIp() && process.env.CI === 'true') throw new Error('ip is missing: apt install iproute2')
  const name = `decnet-${process.pid}`
  const can = hasIp() && ip('netns', 'add', name) && ip('netns', 'del', name)
  if (!can) process.stderr.write('tests on two hosts are skipped: no network namespaces here\n')
  return can
}

export function twoHosts(): TwoHosts {
  const names = ['a', 'b'].map((host) => `decnet-${process.pid}-${host}`) as [string, string]
  const [a, b] = names
  const addresses = ['10.213.77.1', '10.213.77.2'] as const
  const remove = () => {
    for (const name of names) ip('netns', 'del', name)
  }
  try {
    for (const name of names) must('netns', 'add', name)
    must('-n', a, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', b)
    for (const [index, name] of names.entries()) {
      must('-n', name, 'address', 'add', `${addresses[index]}/24`, 'dev', 'cable')
      must('-n', name, 'link', 'set', 'lo', 'up')
      must('-n', name, 'link', 'set', 'cable', 'up')
    }
  } catch (error) {
    remove()
    throw error
  }
  const host = (index: 0 | 1): Host => ({
    address: addresses[index],
    within: ['ip', 'netns', 'exec', names[index]],
  })
  return {
    hosts: [host(0), host(1)],
    unplug: () => must('-n', a, 'link', 'set', 'cable', 'down'),
    plug: () => must('-n', a, 'link', 'set', 'cable', 'up'),
    remove,
  }
}
