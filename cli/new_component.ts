import { Command, Option } from 'clipanion'
import * as t from 'typanion'
import type { Section } from '../engine/define.ts'
import { exitCode } from './exit_code.ts'
import { UsageError } from './usage_error.ts'

const SECTIONS: Readonly<Record<string, Section>> = {
  source: 'sources',
  operator: 'operators',
  sink: 'sinks',
}

/** A type's own name; longer ones do not fit on the lines they are written on. */
const TYPE = /^[a-z][a-z0-9_]{0,39}$/

/** Writes a component that works, for its author to change. */
export class NewComponent extends Command {
  static override paths = [['new']]
  static override usage = Command.Usage({
    description: 'Write a new source, operator or sink, or a new pipeline, with its test.',
    details:
      'A component is written into the checkout the program runs from, and registered; one that is ' +
      'there is never overwritten. See CONTRIBUTING.md for what comes next. ' +
      'A pipeline is written to `pipelines/` here.',
    examples: [
      ['An operator for one event at a time', '$0 new operator login_burst'],
      ['One with memory for each key', '$0 new operator login_burst --keyed'],
      ['A source and a sink', '$0 new source pcap_file && $0 new sink webhook'],
      ['A pipeline', '$0 new pipeline nightly'],
    ],
  })
  kind = Option.String({
    name: 'source|operator|sink|pipeline',
    validator: t.isEnum(['source', 'operator', 'sink', 'pipeline'] as const),
  })
  name = Option.String({ name: 'name' })
  keyed = Option.Boolean('--keyed', false, { description: 'an operator with keyed state' })

  override async execute(): Promise<number> {
    const section = SECTIONS[this.kind]
    if (this.keyed && section !== 'operators') throw new UsageError('--keyed is for operators.')
    const { newComponent, newPipeline } = await import('./scaffold/write.ts')
    if (section === undefined) {
      const file = newPipeline(this.name, process.cwd())
      this.context.stdout.write(`${file}\nNext: decnet pipeline test ${this.name}\n`)
      return exitCode.ok
    }
    if (!TYPE.test(this.name)) {
      throw new UsageError('A type is up to 40 lower-case letters, digits and "_".')
    }
    const files = newComponent(section, this.name, { keyed: this.keyed })
    const test = files.find((file) => file.endsWith(`${this.name}.test.ts`)) ?? ''
    this.context.stdout.write(`${files.join('\n')}\nNext: npx vitest ${test}\n`)
    return exitCode.ok
  }
}
