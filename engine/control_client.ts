/** Talks to a running pipeline by its control socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { controlPath } from './control_path.ts'
import type { ControlAnswer, ControlRequest } from './control_protocol.ts'
import { EngineError, UnavailableError } from './errors.ts'

export interface ControlClient {
  ask(request: ControlRequest): void
  /**
   * What the pipeline says next; undefined once it has ended. What is not asked for is not read,
   * and what is not read the pipeline drops.
   */
  next(): Promise<ControlAnswer | undefined>
  close(): void
}

/** Nobody listens there: no such file, or one whose process has gone. */
const NOT_RUNNING = new Set(['ENOENT', 'ECONNREFUSED'])

/** The process at the other end was killed. */
const CUT_OFF = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/**
 * @returns undefined when the pipeline does not run on this state directory
 * @throws {UnavailableError} `CONTROL` when it does but cannot be talked to
 */
export async function connectControl(
  stateDir: string,
  pipeline: string,
): Promise<ControlClient | undefined> {
  const path = controlPath(stateDir, pipeline)
  const socket = connect(path)
  try {
    await once(socket, 'connect')
  } catch (cause) {
    const code = codeOf(cause)
    if (NOT_RUNNING.has(code)) return undefined
    throw new UnavailableError('CONTROL', `cannot connect to ${path}: ${code}`, { cause })
  }
  socket.setEncoding('utf8')
  const answers = answersOf(socket)
  return {
    ask: (request) => void socket.write(`${JSON.stringify(request)}\n`),
    async next() {
      const { value, done } = await answers.next()
      return done ? undefined : value
    },
    close: () => void socket.destroy(),
  }
}

async function* answersOf(socket: Socket): AsyncGenerator<ControlAnswer, undefined> {
  let text = ''
  try {
    for await (const chunk of socket as AsyncIterable<string>) {
      const lines = (text + chunk).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const answer: ControlAnswer = JSON.parse(line)
        if ('stopped' in answer) return
        yield answer
      }
    }
  } catch (error) {
    if (!CUT_OFF.has(codeOf(error))) throw error
  }
}

/**
 * The answer to a request that has one.
 * @throws {EngineError} what the pipeline refused it with, or `CONTROL_CLOSED`
 */
export async function answerTo(
  { ask, next }: ControlClient,
  request: ControlRequest,
): Promise<ControlAnswer> {
  ask(request)
  const answer = await next()
  if (!answer) throw new EngineError('CONTROL_CLOSED', 'the pipeline ended before it answered')
  if ('error' in answer) throw new EngineError(answer.error.code, answer.error.message)
  return answer
}
