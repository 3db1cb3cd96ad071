/** What the API answers where it does not do what it was asked. */

/** `detail` is shown as it is, so it holds no text from outside but what was checked. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.status = status
    this.headers = headers
  }
}

export const notFound = (what: string): ApiError => new ApiError(404, `${what} not found`)

/** What a request says is not what the route takes. */
export class RequestShapeError extends ApiError {
  override name = 'RequestShapeError'
  /** for developers: where, and which rule */
  readonly faults: readonly string[]
  constructor(status: 400 | 422, faults: readonly string[]) {
    super(status, 'Invalid request parameters')
    this.faults = faults
  }
}
