import { Command, Option } from 'clipanion'
import type { StateVerdict } from '../engine/state_check.ts'
import { exitCode } from './exit_code.ts'
import { loadPlans } from './load_plans.ts'
import { outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { STATE_DIR_OPTION, withState } from './saved_state.ts'
import { grouped } from './text_table.ts'

/** Judges a pipeline's saved state. */
export class PipelineStateCheck extends Command {
  static override paths = [['pipeline', 'state', 'check']]
  static override usage = Command.Usage({
    description: 'Check the saved state of a pipeline; exits 1 if something is wrong with it.',
    details:
      'Looks at the file itself, at every position, at every key (does its state still have the ' +
      'shape its operator declares, are its timers times) and at the dead letters. The pipeline may ' +
      'run meanwhile; at its next start it would drop what it cannot use.',
    examples: [
      ['Before an upgrade', '$0 pipeline state check ingest'],
      ['The findings for a program to read', '$0 pipeline state check ingest -o json'],
    ],
  })
  pipeline = Option.String({ name: 'pipeline' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: {findings: [{code, where, message}], wrong, checked}',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', STATE_DIR_OPTION)

  override async execute(): Promise<number> {
    const plan = loadPlans([this.pipeline], { say: 'errors' })?.plans[0]
    if (!plan) return exitCode.badConfig
    const { checkState } = await import('../engine/state_check.ts')
    const verdict = await withState(this, (reader) => checkState(reader, plan))
    const text = this.output === 'json' ? `${safeJson(verdict)}\n` : human(plan.name, verdict)
    this.context.stdout.write(text)
    return verdict.wrong > 0 ? exitCode.failed : exitCode.ok
  }
}

function human(name: string, { findings, wrong, checked }: StateVerdict): string {
  const lines = findings.map(({ code, where, message }) => `${where}: error[${code}]: ${message}\n`)
  const more = wrong > findings.length ? `and ${grouped(wrong - findings.length)} more\n` : ''
  const verdict = wrong > 0 ? `${grouped(wrong)} wrong` : 'ok'
  return `${lines.join('')}${more}${name}: ${grouped(checked)} checked, ${verdict}\n`
}
