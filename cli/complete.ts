import { Command, Option } from 'clipanion'
import { candidates, type Lookups } from './completion/candidates.ts'
import { exitCode } from './exit_code.ts'
import { checkFile } from './load_plans.ts'
import { allPipelines, pipelineFile } from './pipeline_files.ts'
import { registry } from './registry.ts'
import { UsageError } from './usage_error.ts'

/** Asked by the completion scripts; without a usage, so no help mentions it. */
export class Complete extends Command {
  static override paths = [['__complete']]
  words = Option.Proxy()

  override async execute(): Promise<number> {
    const found = candidates(this.cli.definitions(), this.words, lookups)
    this.context.stdout.write(found.map((word) => `${word}\n`).join(''))
    return exitCode.ok
  }
}

const lookups: Lookups = {
  pipelines: () => [...allPipelines().keys()],
  types: () => [...new Set([...registry.values()].map(({ type }) => type))],
  nodes(pipeline, word) {
    const nodes = planOf(pipeline)?.nodes ?? []
    if (!word.includes('.')) return nodes.map(({ id }) => id)
    return nodes.flatMap((node) => {
      const ports = node.section === 'operators' ? node.component.outputs?.(node.config) : undefined
      return [...(ports ?? []), 'errors'].map((port) => `${node.id}.${port}`)
    })
  },
}

/** @returns undefined for a pipeline that is not there, or wrong: there is nothing to offer then */
function planOf(pipeline: string) {
  try {
    return checkFile(pipelineFile(pipeline)).plan
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}
