/** Tokens of users: signed by us, for us, for a while. */
import { errors, jwtVerify, SignJWT } from 'jose'
import { type Clock, freshEpoch } from '../../../engine/index.ts'

/** What a token says; times in seconds since the epoch. */
export interface Token {
  readonly uuid: string
  readonly jti: string
  readonly iat: number
  readonly exp: number
}

const ALGORITHM = 'HS256'
const ISSUER = 'decnet'
const AUDIENCE = 'decnet-dashboard'
const TYPE = 'access'
/** Characters of a token that are looked at: ours have about 300. */
const LONGEST = 2048

/** @see spec/api-and-sse.md section 1 */
export class Tokens {
  readonly #key: Uint8Array
  readonly #minutes: number
  readonly #clock: Clock

  /** @param minutes that a token is valid */
  constructor(secret: string, minutes: number, clock: Clock) {
    this.#key = new TextEncoder().encode(secret)
    this.#minutes = minutes
    this.#clock = clock
  }

  /** @param notBefore whole seconds since the epoch: no token is issued before it */
  issue(uuid: string, notBefore: number): Promise<string> {
    const iat = Math.max(Math.floor(this.#clock.now() / 1000), notBefore)
    return new SignJWT({ uuid, typ: TYPE })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setJti(freshEpoch() + freshEpoch())
      .setIssuedAt(iat)
      .setExpirationTime(iat + this.#minutes * 60)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .sign(this.#key)
  }

  /** @returns what it says, or undefined where it is not one of ours that is valid now */
  async read(token: string): Promise<Token | undefined> {
    if (token.length > LONGEST) return undefined
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['uuid', 'jti', 'iat', 'exp', 'typ'],
        currentDate: new Date(this.#clock.now()),
      })
      const { uuid, jti, iat, exp, typ } = payload
      if (typ !== TYPE || typeof uuid !== 'string' || typeof jti !== 'string') return undefined
      if (iat === undefined || exp === undefined) return undefined
      return { uuid, jti, iat, exp }
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
      throw error
    }
  }
}
