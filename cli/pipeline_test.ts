import { writeFileSync } from 'node:fs'
import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { type Checked, checkFile, checkText, sayProblems } from './load_plans.ts'
import { outputFormat } from './option_values.ts'
import { chosenPipelines } from './pipeline_files.ts'
import { type FileResults, failureLines, resultsJson, tally } from './test_results.ts'
import { UsageError } from './usage_error.ts'

/** Runs the `tests:` blocks of pipelines. */
export class PipelineTest extends Command {
  static override paths = [['pipeline', 'test']]
  static override usage = Command.Usage({
    description:
      'Run the tests in pipeline files; exits 1 when one fails, 78 when a file is wrong.',
    details:
      'Each test gets a pipeline of its own, with its sinks muted and event time for a clock. ' +
      'See docs/testing.md for what a test can hold.',
    examples: [
      ['Test all pipelines in pipelines/', '$0 pipeline test'],
      ['Only the tests whose name has a word', '$0 pipeline test ingest --filter IPv6'],
      ['Take what comes out for what is expected', '$0 pipeline test ingest --update'],
      ['For a CI server', '$0 pipeline test --junit results.xml'],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline' })
  filter = Option.String('--filter', { description: 'only tests whose name holds this text' })
  update = Option.Boolean('--update', false, {
    description: 'rewrite the values under `expect:` that differ, in the files',
  })
  junit = Option.String('--junit', { description: 'FILE for the results as JUnit XML' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: an array of {pipeline, file, line, name, passed, …}',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const files = chosenPipelines(this.pipelines)
    const tested: FileResults[] = []
    let wrong = 0
    for (const file of files) {
      const checked = checkFile(file)
      if (checked.plan) tested.push(await this.#test(checked))
      else {
        wrong += 1
        this.context.stderr.write(errorsOf(checked))
      }
    }
    const { text, failed, total } = tally(tested)
    if (total === 0 && wrong === 0 && this.filter !== undefined) {
      throw new UsageError('No test has that text in its name.')
    }
    if (this.junit !== undefined) {
      const { junitText } = await import('../engine/junit.ts')
      writeFileSync(this.junit, junitText(tested))
    }
    this.context.stdout.write(this.output === 'json' ? resultsJson(tested) : text)
    if (wrong > 0) return exitCode.badConfig
    return failed > 0 ? exitCode.failed : exitCode.ok
  }

  async #test(checked: Checked): Promise<FileResults> {
    const first = await this.#run(checked)
    if (this.update && first.results.some(({ differences }) => differences.length > 0)) {
      return this.#rewrite(first)
    }
    this.#say(first)
    return first
  }

  async #run({ file, text, plan }: Checked): Promise<FileResults> {
    if (!plan) throw new Error('only a file that compiles is tested')
    const { runPipelineTests } = await import('../engine/pipeline_test.ts')
    const word = this.filter?.toLowerCase() ?? ''
    const results = await runPipelineTests(plan, ({ name }) => name.toLowerCase().includes(word))
    return { pipeline: plan.name, file, text, results }
  }

  /** Writes the file only once it is known to compile; what still fails is said. */
  async #rewrite(before: FileResults): Promise<FileResults> {
    const { updateExpectations } = await import('../engine/expect_update.ts')
    const failing = before.results.filter(({ differences }) => differences.length > 0)
    const text = updateExpectations(
      before.text,
      failing.flatMap(({ observed }) => observed),
    )
    if (text === before.text) {
      this.#say(before)
      return before
    }
    const checked = checkText(before.file, text)
    if (!checked.plan) throw new Error(`the update would break ${before.file}: edit it by hand`)
    writeFileSync(before.file, text)
    if (this.output === 'human') this.context.stdout.write(`${before.file}: updated\n`)
    const after = await this.#run(checked)
    this.#say(after)
    return after
  }

  #say(results: FileResults): void {
    if (this.output === 'human') this.context.stdout.write(failureLines(results))
  }
}

function errorsOf(checked: Checked): string {
  const problems = checked.problems.filter(({ severity }) => severity === 'error')
  return sayProblems({ ...checked, problems }, process.stderr)
}
