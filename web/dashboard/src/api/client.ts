/** Asks the API. Whatever goes wrong is an `ApiError`, with words to show. */
import { currentToken, setToken } from './session.ts'

const API = '/api/v1'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** 0: there was no answer */
  readonly status: number
  /** of the log line that says more */
  readonly errorId: string | undefined

  constructor(status: number, message: string, errorId?: string) {
    super(message)
    this.status = status
    this.errorId = errorId
  }
}

export const PASSWORD_CHANGE = 'Password change required before accessing this resource'

/** Asked for before each stream; it is no login, so a token that it does not take has ended. */
export const SSE_TICKET = '/auth/sse-ticket'

type Query = Readonly<Record<string, string | number | undefined>>

interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** a status beside 2xx whose body is an answer like any other */
  readonly also?: number
}

/** @param path behind /api/v1; parts from outside have gone through `encodeURIComponent` */
export function apiUrl(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  const text = new URLSearchParams(given).toString()
  return text === '' ? `${API}${path}` : `${API}${path}?${text}`
}

/** @throws {ApiError} */
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const { method = 'GET', query, body, signal, also } = asked
  const token = currentToken()
  const headers: Record<string, string> = { accept: 'application/json' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  const response = await fetch(apiUrl(path, query), {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'The server does not answer.')
  })
  const answer = await bodyOf(response)
  if (response.ok || (response.status === also && answer !== undefined)) return answer as T
  const { detail, error_id } = (answer ?? {}) as { detail?: unknown; error_id?: unknown }
  // The token has ended, or was never worth anything; a login that failed is no reason to log out.
  const isLogin = path.startsWith('/auth/') && path !== SSE_TICKET
  if (response.status === 401 && token !== undefined && !isLogin) {
    if (currentToken() === token) setToken(undefined)
  }
  throw new ApiError(
    response.status,
    typeof detail === 'string' ? detail : `The server answered ${response.status}.`,
    typeof error_id === 'string' ? error_id : undefined,
  )
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text()
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch (error) {
    // Something between us and the API has answered in its place.
    if (!(error instanceof SyntaxError)) throw error
    if (response.ok) throw new ApiError(response.status, 'The answer is not JSON.')
    return undefined
  }
}

/** Whether asking again may help. */
export const mayPass = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
