/** Answers by node, event and key, on disk: a journal may hold more than memory does. */
import Database from 'better-sqlite3'
import type { Answer, AnswerBook, Answered, Question } from './answers.ts'

const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  CREATE TABLE IF NOT EXISTS answer (
    node TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (node, event, key)
  ) WITHOUT ROWID`

export class AnswerIndex implements AnswerBook {
  readonly #database: Database.Database
  readonly #insert: Database.Statement
  readonly #select: Database.Statement

  /** @param path of a file that is kept; `''`: a temporary one, which SQLite removes at the end */
  constructor(path = '') {
    this.#database = new Database(path)
    this.#database.exec(SCHEMA)
    // The first answer is the one the event went on with; whoever asked again did so after it.
    this.#insert = this.#database.prepare('INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?)')
    this.#select = this.#database
      .prepare('SELECT answer FROM answer WHERE node = ? AND event = ? AND key = ?')
      .pluck()
  }

  add(node: string, answered: readonly Answered[]): void {
    this.#database.transaction(() => {
      for (const { key, events, answer } of answered) {
        const text = JSON.stringify(answer)
        for (const event of events) this.#insert.run(node, event, key, text)
      }
    })()
  }

  async record(node: string, answered: readonly Answered[]): Promise<void> {
    this.add(node, answered)
  }

  async recall(
    node: string,
    questions: readonly Question[],
  ): Promise<readonly (Answer | undefined)[]> {
    return questions.map(({ event, key }) => {
      const text = this.#select.get(node, event, key)
      return text === undefined ? undefined : (JSON.parse(String(text)) as Answer)
    })
  }

  close(): void {
    this.#database.close()
  }
}
