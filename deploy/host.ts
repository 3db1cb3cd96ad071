/** Who runs DECNET on a host, and from where: the parameters of every file that is installed. */
import { quote } from '../protocols/quote.ts'
import { DeployError } from './deploy_error.ts'

export interface Host {
  readonly user: string
  readonly group: string
  /** Absolute; the user's home and the working directory of every unit. */
  readonly installDir: string
  /** Absolute; holds `bin/decnet`. */
  readonly runtimeDir: string
  /** Absolute path of the Node that `bin/decnet` is to take; undefined: it looks for one. */
  readonly interpreter: string | undefined
}

/** What useradd takes, less the trailing `$` of machine accounts. */
const ACCOUNT = /^[a-z_][a-z0-9_-]{0,31}$/
/** Blanks, quotes, `%` and `$` have a meaning in unit files, and none in a sensible path. */
const PATH = /^\/[A-Za-z0-9@+=:,./_-]{0,500}$/

/** @throws {DeployError} `HOST` on a name or path that the files cannot hold */
export function checkHost({ user, group, installDir, runtimeDir, interpreter }: Host): void {
  checkAccount('user', user)
  checkAccount('group', group)
  checkPath('install directory', installDir)
  checkPath('runtime directory', runtimeDir)
  if (interpreter !== undefined) checkPath('interpreter', interpreter)
}

function checkAccount(what: string, name: string): void {
  if (ACCOUNT.test(name)) return
  throw new DeployError('HOST', `${quote(name)} is no name of a ${what}`)
}

function checkPath(what: string, path: string): void {
  if (!path.startsWith('/')) {
    throw new DeployError('HOST', `the ${what} ${quote(path)} is not absolute`)
  }
  if (PATH.test(path) && !path.split('/').includes('..')) return
  throw new DeployError(
    'HOST',
    `the ${what} ${quote(path)} has other than letters, digits and @+=:,._-`,
  )
}
