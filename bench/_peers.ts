/** Finds the programs that we are measured against. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export interface Peer {
  readonly path: string
  /** folder that stands for `/`: that of bench/install_peers.sh, or `/` */
  readonly root: string
  /** what it needs to find its libraries */
  readonly env: Readonly<Record<string, string>>
}

const UNPACKED = join(import.meta.dirname, '../node_modules/.peers')
const FOLDERS = ['usr/bin', 'usr/sbin']
const LIBRARIES = ['usr/lib', 'lib'].flatMap((folder) =>
  ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((machine) => join(UNPACKED, folder, machine)),
)

/** @returns undefined where it is neither unpacked nor installed */
export function findPeer(name: string): Peer | undefined {
  for (const root of ['/', UNPACKED]) {
    const path = FOLDERS.map((folder) => join(root, folder, name)).find(existsSync)
    if (path === undefined) continue
    const env: Record<string, string> = root === '/' ? {} : { LD_LIBRARY_PATH: LIBRARIES.join(':') }
    return { path, root, env }
  }
  return undefined
}
