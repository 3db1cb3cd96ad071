import { Command, Option } from 'clipanion'
import { nearMiss } from '../engine/compile/near_miss.ts'
import { componentsOfType } from '../engine/define.ts'
import { componentText } from '../engine/reference.ts'
import { exitCode } from './exit_code.ts'
import { registry } from './registry.ts'
import { UsageError } from './usage_error.ts'

/** Says everything about one type of node. */
export class PipelineExplainType extends Command {
  static override paths = [['pipeline', 'explain-type']]
  static override usage = Command.Usage({
    description: 'Explain a source, operator or sink: its config, its promise, examples.',
    examples: [
      ['What does dedup take?', '$0 pipeline explain-type dedup'],
      ['Of two with one name, the sink', '$0 pipeline explain-type sinks.ndjson_file'],
    ],
  })
  type = Option.String({ name: 'type' })

  override async execute(): Promise<number> {
    const exact = registry.get(this.type)
    const components = exact ? [exact] : componentsOfType(registry, this.type)
    if (components.length === 0) throw new UsageError(unknownType(this.type))
    this.context.stdout.write(components.map(componentText).join('\n'))
    return exitCode.ok
  }
}

function unknownType(type: string): string {
  const types = [...new Set([...registry.values()].map((component) => component.type))]
  const near = nearMiss(type, types)
  const hint = near === undefined ? `there are: ${types.join(', ')}` : `did you mean ${near}?`
  return `No component has the type ${JSON.stringify(type)}; ${hint}`
}
