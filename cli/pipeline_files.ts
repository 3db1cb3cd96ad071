/** From the PIPELINE of a command line to a file. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { installRoot } from './install.ts'
import { UsageError } from './usage_error.ts'

const EXTENSION = '.yaml'

/** Folders that are searched for a name, the nearest first. */
export function pipelineFolders(): string[] {
  const folders = [join(process.cwd(), 'pipelines'), join(installRoot, 'pipelines')]
  return [...new Set([...folders, '/etc/decnet/pipelines'])]
}

/**
 * A path has a slash or ends in `.yaml` or `.yml`; anything else is a name under `pipelines/`.
 * @returns the path, as short as it can be written; it need not exist
 * @throws {UsageError} on a name that is in none of the folders
 */
export function pipelineFile(argument: string): string {
  if (argument.includes(sep) || /\.ya?ml$/.test(argument)) return argument
  for (const folder of pipelineFolders()) {
    const file = join(folder, argument + EXTENSION)
    if (existsSync(file)) return shortPath(file)
  }
  const folders = pipelineFolders().map(shortPath).join(', ')
  const known = [...allPipelines().keys()].join(', ') || 'none'
  throw new UsageError(`No pipeline ${argument} in ${folders}; there are: ${known}.`)
}

/**
 * The files a command is about that can do without being told.
 * @returns those named, or all of `pipelines/` here; where there is none, all there are
 */
export function chosenPipelines(named: readonly string[]): string[] {
  if (named.length > 0) return named.map(pipelineFile)
  const here = [...allPipelines().values()].filter((file) => dirname(file) === 'pipelines')
  return here.length > 0 ? here : [...allPipelines().values()]
}

/** @returns every pipeline file by name; of two with one name, the one that the name stands for */
export function allPipelines(): Map<string, string> {
  const found = new Map<string, string>()
  for (const folder of pipelineFolders().filter(existsSync)) {
    for (const entry of readdirSync(folder).sort()) {
      const name = entry.slice(0, -EXTENSION.length)
      if (!entry.endsWith(EXTENSION) || found.has(name)) continue
      found.set(name, shortPath(join(folder, entry)))
    }
  }
  return found
}

/** A path as a person would write it from where he is. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
