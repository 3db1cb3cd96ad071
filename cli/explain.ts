import { Command, Option } from 'clipanion'
import { databaseUrl } from '../store/database_url.ts'
import { exitCode } from './exit_code.ts'
import { renderExplanation } from './explanation_text.ts'
import { count, outputFormat } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { withDatabasePassword } from './secret_policy.ts'
import { UsageError } from './usage_error.ts'

/** Explains a conclusion. */
export class Explain extends Command {
  static override paths = [['explain']]
  static override usage = Command.Usage({
    category: 'Findings',
    description:
      'Explain a conclusion: what an attacker is, why addresses are one identity, why identities are ' +
      'one campaign, why a secret counts as used again.',
    details:
      'Tells the evidence, since when each piece of it is known, and the ids of the log records it is ' +
      'from. A link of a cluster is a bridge when the cluster falls apart without it. All is computed ' +
      'anew from the database, and nothing is written to it. An id may be cut to its first 8 digits or ' +
      'more; an attacker is also found by address, and an identity by that of a member. Exits 1 if ' +
      'there is no such row.',
    examples: [
      ['Who is this?', '$0 explain attacker 198.51.100.7'],
      ['Why are these the same hands?', '$0 explain identity 5c1f2e3a'],
      [
        'What a replay has found, for another program',
        '$0 explain campaign 77ab01c2 --db sqlite:night.db -o json',
      ],
    ],
  })
  subject = Option.String({ name: 'attacker|identity|campaign|reuse' })
  which = Option.String({ name: 'id' })
  db = Option.String('--db', {
    description: 'URL of the database; left out, the one that the settings name',
  })
  limit = Option.String('--limit', '20', {
    description: 'entries of each list',
    validator: count,
  })
  records = Option.String('--records', '100000', {
    description: 'log records to read; of more, the oldest and the newest of each address',
    validator: count,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json: one document, see docs/explain.md',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const { subjects } = await import('../store/explain/find_row.ts')
    const subject = subjects.find((one) => one === this.subject)
    if (!subject)
      throw new UsageError('What is to be explained: attacker, identity, campaign or reuse?')
    const { openDatabase } = await import('../store/database.ts')
    const { explain } = await import('../store/explain/explain.ts')
    const url = this.db ?? databaseUrl(withDatabasePassword(process.env))
    const database = await openDatabase(url, { upgrade: false })
    try {
      const { limit, records } = this
      const explained = await explain(database, subject, this.which, { limit, records })
      const isJson = this.output === 'json'
      this.context.stdout.write(
        isJson ? `${safeJson({ version: 1, ...explained })}\n` : renderExplanation(explained),
      )
      return exitCode.ok
    } finally {
      await database.close()
    }
  }
}
