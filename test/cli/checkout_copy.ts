/** A copy of this checkout that a test may write to. */
import { cpSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { root, scratchFolder } from './decnet.ts'

/** Not copied: what is large, made anew, or shared. */
const LEFT_OUT = ['node_modules', '.git', 'demo', 'coverage']

/** @returns the folder; `node_modules` is the one of this checkout */
export function checkoutCopy(): string {
  const copy = scratchFolder()
  for (const entry of readdirSync(root)) {
    if (!LEFT_OUT.includes(entry)) {
      cpSync(join(root, entry), join(copy, entry), { recursive: true, filter: isOrdinary })
    }
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** State of pipelines that were run here is none of ours. */
const isOrdinary = (path: string): boolean => !/\/\.decnet(\/|$)/.test(path)
