/** Steps that change a host: each says what it did, and nothing happens in a dry run. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type CommandRunner, failureLine } from './command_runner.ts'
import { DeployError } from './deploy_error.ts'

export interface StepOptions {
  /** `''`, or a directory that stands for `/` */
  readonly prefix: string
  readonly dryRun: boolean
  /** rewrites files that are as they should be */
  readonly force: boolean
  readonly run: CommandRunner
  /** gets one line at a time, without its end */
  readonly say: (line: string) => void
}

export interface HostFile {
  /** absolute, before the prefix */
  readonly path: string
  readonly text: string
  readonly mode: number
}

type Ids = { readonly uid: number; readonly gid: number }

const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex')

export class HostSteps {
  readonly #options: StepOptions

  constructor(options: StepOptions) {
    this.#options = options
  }

  /** A path of the host, below the prefix. */
  at(path: string): string {
    return join(this.#options.prefix || '/', path)
  }

  /** Says that a step is not done. */
  skip(label: string, reason: string): void {
    this.#options.say(`[SKIP] ${label} (${reason})`)
  }

  /**
   * @param would what a dry run says it would do
   * @param act does it; what it throws ends everything, unless `tolerate`
   */
  #step(label: string, would: string, act: () => void, tolerate = false): void {
    if (this.#options.dryRun) {
      this.skip(label, `dry run: would ${would}`)
      return
    }
    try {
      act()
    } catch (error) {
      const reason = reasonOf(error)
      if (tolerate) {
        this.skip(label, reason)
        return
      }
      this.#options.say(`[FAIL] ${label}: ${reason}`)
      throw new DeployError('HOST', `${label}: ${reason}`, { cause: error })
    }
    this.#options.say(`[ OK ] ${label}`)
  }

  /** Runs a command. @param tolerate whether its failure is no reason to stop */
  command(argv: readonly [string, ...string[]], { tolerate = false } = {}): void {
    const [program, ...args] = argv
    const act = () => {
      const result = this.#options.run(program, args)
      if (result.code !== 0) throw new DeployError('HOST', failureLine(result))
    }
    this.#step(argv.join(' '), 'run it', act, tolerate)
  }

  /** Makes a directory, and gives it its mode and owner anew. @param ids undefined: nobody's yet */
  directory(path: string, mode: number, ids: Ids | undefined): void {
    const full = this.at(path)
    this.#step(`directory ${path} ${mode.toString(8).padStart(4, '0')}`, 'make it', () => {
      mkdirSync(full, { recursive: true })
      // Whoever owns the folder above may have put a link there, to have its target given away.
      if (lstatSync(full).isSymbolicLink()) throw new DeployError('HOST', 'it is a symbolic link')
      if (ids !== undefined) chownIfAllowed(full, ids)
      // After chown, which clears the setgid bit.
      chmodSync(full, mode)
    })
  }

  /** The same, but what is there already is left as it is. */
  directoryOnce(path: string, mode: number, ids: Ids | undefined): void {
    if (existsSync(this.at(path))) this.skip(`directory ${path}`, 'it exists')
    else this.directory(path, mode, ids)
  }

  /** @returns whether the file on disk has the same SHA-256 as what is to be written */
  isUpToDate({ path, text }: HostFile): boolean {
    const full = this.at(path)
    return existsSync(full) && sha256(readFileSync(full)) === sha256(text)
  }

  /** Writes those files that differ, or all of them. @param what is said of them if none does */
  files(label: string, files: readonly HostFile[], what: string): void {
    const stale = this.#options.force ? files : files.filter((file) => !this.isUpToDate(file))
    if (stale.length === 0) {
      this.skip(label, `${what} up to date`)
      return
    }
    const names = stale.map(({ path }) => path).join(', ')
    this.#step(`${label}: ${names}`, 'write', () => {
      for (const file of stale) this.#write(file)
    })
  }

  /** Writes a file that belongs to the administrator once it is there. */
  fileOnce(file: HostFile, ids: Ids | undefined): void {
    const full = this.at(file.path)
    if (existsSync(full)) {
      this.skip(file.path, 'it is there, and left as it is')
      return
    }
    this.#step(file.path, 'write it', () => {
      this.#write(file)
      if (ids !== undefined) chownIfAllowed(full, ids)
    })
  }

  /** Nobody ever reads half a file, and a link that was put in its place is replaced, not followed. */
  #write({ path, text, mode }: HostFile): void {
    const full = this.at(path)
    mkdirSync(dirname(full), { recursive: true })
    const fresh = `${full}.new`
    rmSync(fresh, { force: true })
    writeFileSync(fresh, text, { mode, flag: 'wx' })
    chmodSync(fresh, mode)
    renameSync(fresh, full)
  }

  /** @returns paths, before the prefix, of the files of a directory whose names match */
  find(directory: string, name: RegExp): string[] {
    const full = this.at(directory)
    if (!existsSync(full)) return []
    const names = readdirSync(full).filter((entry) => name.test(entry))
    return names.sort().map((entry) => join(directory, entry))
  }

  #isThere(path: string): boolean {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) !== undefined
  }

  remove(label: string, paths: readonly string[]): void {
    const there = paths.filter((path) => this.#isThere(path))
    if (there.length === 0) {
      this.skip(label, 'not there')
      return
    }
    this.#step(`${label}: ${there.join(', ')}`, 'remove', () => {
      for (const path of there) rmSync(this.at(path))
    })
  }

  removeEmpty(path: string): void {
    const label = `empty directory ${path}`
    if (!this.#isThere(path)) this.skip(label, 'not there')
    else this.#step(label, 'remove it', () => rmdirSync(this.at(path)), true)
  }

  removeTree(path: string): void {
    const label = `everything in ${path}`
    if (!this.#isThere(path)) this.skip(label, 'not there')
    else this.#step(label, 'remove it', () => rmSync(this.at(path), { recursive: true }), true)
  }
}

/** A developer's own prefix belongs to him, whoever the files are meant for. */
function chownIfAllowed(path: string, { uid, gid }: Ids): void {
  try {
    chownSync(path, uid, gid)
  } catch (error) {
    if (reasonOf(error) !== 'EPERM') throw error
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DeployError || !(error instanceof Error))
    return String((error as Error).message)
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOTEMPTY' ? 'not empty' : (code ?? error.message)
}
