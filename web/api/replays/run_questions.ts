/** What only a process of its own can tell of finished runs, asked one at a time. */
import { ApiError } from '../api_error.ts'
import type { ReplayHost } from './host.ts'
import type { Explained, RunDiff } from './run_diff.ts'
import { toolAnswer } from './run_tools.ts'

/** Events of each kind and sink that a difference lists: fewer where all of them are too long. */
const LISTED = [500, 50, 5, 0]
/** An answer, and one that says that there is a difference, or no such event. */
const ANSWERS = [0, 1]

export class RunQuestions {
  readonly #host: Pick<ReplayHost, 'cli' | 'env'>
  #asking: { readonly key: string; readonly answer: Promise<unknown> } | undefined
  /** pages of one difference are asked for one after the other */
  #last: { readonly key: string; readonly diff: RunDiff } | undefined

  constructor(host: Pick<ReplayHost, 'cli' | 'env'>) {
    this.#host = host
  }

  /**
   * @param a folder of a run @param b of another
   * @throws {ApiError} 429 while something else is asked, 503 where it cannot be told
   */
  async diff(a: string, b: string): Promise<RunDiff> {
    const key = `diff ${a} ${b}`
    if (this.#last?.key === key) return this.#last.diff
    const diff = (await this.#ask(key, () => this.#longestDiff(a, b))) as RunDiff
    this.#last = { key, diff }
    return diff
  }

  async #longestDiff(a: string, b: string): Promise<unknown> {
    for (const most of LISTED) {
      const answer = await this.#tool(['diff', a, b, '-o', 'json', '--most', String(most)])
      if (answer !== 'too_long') return answer
    }
    return 'failed'
  }

  /** @param event id of one, that is no option @throws {ApiError} as `diff` */
  async explain(dir: string, event: string): Promise<Explained> {
    const words = ['explain-event', '--run', dir, '-o', 'json', '--', event]
    return (await this.#ask(`event ${dir} ${event}`, () => this.#tool(words))) as Explained
  }

  #tool(words: readonly string[]): Promise<unknown> {
    const { cli, env } = this.#host
    return toolAnswer({ command: [...cli, 'pipeline', ...words], env, codes: ANSWERS })
  }

  /** Each is a process that reads whole runs. Who asks the same shares the answer. */
  async #ask(key: string, make: () => Promise<unknown>): Promise<unknown> {
    if (this.#asking && this.#asking.key !== key) {
      throw new ApiError(429, 'Another run is being looked at: try again in a moment', {
        'retry-after': '2',
      })
    }
    this.#asking ??= {
      key,
      answer: make().finally(() => {
        this.#asking = undefined
      }),
    }
    const given = await this.#asking.answer
    if (typeof given === 'object' && given !== null) return given
    throw new ApiError(503, 'This cannot be told of these runs')
  }
}
