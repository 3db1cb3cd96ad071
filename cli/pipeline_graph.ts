import { Command, Option } from 'clipanion'
import { isEnum } from 'typanion'
import { GRAPH_FORMATS, graphText } from '../engine/graph_text.ts'
import { exitCode } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'

/** Draws one pipeline. */
export class PipelineGraph extends Command {
  static override paths = [['pipeline', 'graph']]
  static override usage = Command.Usage({
    description: 'Draw a pipeline.',
    examples: [
      ['In the terminal', '$0 pipeline graph ingest'],
      ['For a README', '$0 pipeline graph ingest --format mermaid'],
      [
        'As a picture, with Graphviz',
        '$0 pipeline graph ingest --format dot | dot -Tsvg > ingest.svg',
      ],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  format = Option.String('--format', 'ascii', {
    description: 'mermaid, dot or ascii (default)',
    validator: isEnum(GRAPH_FORMATS),
  })

  override async execute(): Promise<number> {
    const loaded = loadPlans([this.pipeline], { say: 'errors' })
    if (!loaded) return exitCode.badConfig
    for (const plan of loaded.plans) this.context.stdout.write(graphText(plan, this.format))
    return exitCode.ok
  }
}
