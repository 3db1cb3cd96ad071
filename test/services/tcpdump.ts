/** A cable (veth) between this network and one of its own, for tests that capture packets. */
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { findTcpdump } from '../../sources/pcap/tcpdump.ts'

export interface Cable {
  /** Its end in this network. */
  readonly name: string
  /** Sends datagrams to port 443 of the far end. */
  send(count: number, bytes?: number): Promise<void>
  /** Takes the interface away. */
  remove(): void
  /** Puts it there, or there again. */
  add(): void
  /** Leaves nothing behind. */
  close(): void
}

function ip(...args: string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0
}

function must(...args: string[]): void {
  if (!ip(...args)) throw new Error(`ip ${args.join(' ')}: failed`)
}

/**
 * Whether packets can be captured here; says so where they cannot.
 * @throws {Error} on CI, where tcpdump and iproute2 must not be missing
 */
export function canCapture(): boolean {
  const missing = [
    ...(findTcpdump('tcpdump') === undefined ? ['tcpdump'] : []),
    ...(spawnSync('ip', ['-V'], { stdio: 'ignore' }).status === 0 ? [] : ['iproute2']),
  ]
  if (missing.length > 0 && process.env.CI === 'true') {
    throw new Error(`not installed: apt install ${missing.join(' ')}`)
  }
  const name = `dcnt${process.pid}`
  const why =
    missing.length > 0
      ? `${missing.join(' and ')} not installed`
      : ip('netns', 'add', name) && ip('netns', 'del', name)
        ? undefined
        : 'no network namespaces here (not root?)'
  if (why !== undefined) process.stderr.write(`tests of live capture are skipped: ${why}\n`)
  return why === undefined
}

/** @param subnet third byte of its addresses, so that several can be there at once */
export function cable(subnet: number): Cable {
  const space = `dcn-${process.pid}-${subnet}`
  const name = `dcn${process.pid}${String.fromCharCode(97 + (subnet % 26))}`
  const far = `10.213.${subnet}.2`
  must('netns', 'add', space)
  const made: Cable = {
    name,
    add() {
      must('link', 'add', name, 'type', 'veth', 'peer', 'name', 'far', 'netns', space)
      must('address', 'add', `10.213.${subnet}.1/24`, 'dev', name)
      must('-n', space, 'address', 'add', `${far}/24`, 'dev', 'far')
      must('-n', space, 'link', 'set', 'far', 'up')
      must('link', 'set', name, 'up')
      const address = spawnSync('ip', ['-n', space, '-o', 'link', 'show', 'far']).stdout.toString()
      const mac = /link\/ether (\S+)/.exec(address)?.[1] ?? ''
      must('neighbour', 'replace', far, 'lladdr', mac, 'dev', name)
    },
    remove: () => must('link', 'del', name),
    close() {
      ip('link', 'del', name)
      ip('netns', 'del', space)
    },
    async send(count, bytes = 40) {
      const socket = createSocket('udp4')
      const packet = Buffer.alloc(bytes, 'x')
      for (let sent = 0; sent < count; sent++) {
        await new Promise<void>((resolve, reject) => {
          socket.send(packet, 443, far, (error) => (error ? reject(error) : resolve()))
        })
      }
      socket.close()
    },
  }
  try {
    made.add()
  } catch (error) {
    made.close()
    throw error
  }
  return made
}
