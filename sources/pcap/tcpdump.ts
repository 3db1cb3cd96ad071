/** Finds tcpdump, and says what it is to do. Not a component. */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { type Context, EngineError } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'
import type { CaptureDriver, CaptureOptions } from './capture_driver.ts'
import { TcpdumpCapture } from './tcpdump_capture.ts'

/** ms to look at a filter; a name in it may have to be looked up */
const CHECK_PATIENCE = 5000
/** Daemons may be started without the folders of the administrator. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

const NOT_ALLOWED = /permission|permitted|root/i

/** @returns the path of the program; undefined where there is none */
export function findTcpdump(command: string, path = process.env.PATH ?? ''): string | undefined {
  const folders = isAbsolute(command) ? [''] : [...path.split(delimiter), ...MORE_FOLDERS]
  return folders.map((folder) => join(folder, command)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return isAbsolute(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false
    throw error
  }
}

/** @param path of the program */
export const tcpdumpDriver = (
  path: string,
  options: CaptureOptions,
  context: Context,
): CaptureDriver => ({
  name: 'tcpdump',
  checkFilter: (filter) => checkFilter(path, filter, context.signal),
  start(name) {
    const words = argumentsFor(name, options)
    return new TcpdumpCapture({ path, words, env: ENVIRONMENT, interface: name }, context)
  },
})

/** `-d` prints the code of a filter without opening any interface. */
async function checkFilter(path: string, filter: string, signal: AbortSignal): Promise<void> {
  const told = await new Promise<string | undefined>((resolve) => {
    const limits = { timeout: CHECK_PATIENCE, signal, env: ENVIRONMENT, maxBuffer: 2 ** 22 }
    execFile(path, ['-d', '--', filter], limits, (error, _, stderr) => {
      // Whatever else keeps it from an answer will show when it is to capture.
      resolve(error && typeof error.code === 'number' ? lastLine(stderr) : undefined)
    })
  })
  if (told === undefined || NOT_ALLOWED.test(told)) return
  const message = `tcpdump refuses the filter ${quote(filter)}: ${quote(told)}`
  throw new EngineError('CAPTURE_FILTER', message)
}

const lastLine = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Warning'))
    .at(-1)
    ?.replace(/^\S*tcpdump: /, '') ?? ''

/** It gets no more of ours than it needs: nothing secret. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '', LC_ALL: 'C' }

function argumentsFor(name: string, options: CaptureOptions): string[] {
  const { filter, snaplen, buffer, immediate, promiscuous } = options
  const kib = String(Math.ceil(buffer / 1024))
  const how = [
    '-U',
    '-n',
    ...(immediate ? ['--immediate-mode'] : []),
    ...(promiscuous ? [] : ['-p']),
  ]
  return ['-i', name, ...how, '-s', String(snaplen), '-B', kib, '-w', '-', '--', filter]
}
