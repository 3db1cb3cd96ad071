/** Tables `users` and `ended_tokens`: who may use the dashboard and the API, and what no longer may. */
import { defineEntity, p } from '@mikro-orm/core'

/**
 * `passwordHash` is a bcrypt hash. Times are µs since the Unix epoch; tokens issued before
 * `tokensValidFrom` (whole seconds since the epoch) are worth nothing.
 * @see spec/api-and-sse.md section 1
 */
export const UserEntity = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    uuid: p.string().length(36).primary(),
    username: p.string().length(64).unique('uq_users_username'),
    passwordHash: p.string().length(100),
    role: p.string().length(16),
    mustChangePassword: p.bigint('number'),
    tokensValidFrom: p.bigint('number'),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})

/** A token that was given back; `exp` is its end, seconds since the epoch, after which it may go. */
export const EndedTokenEntity = defineEntity({
  name: 'EndedToken',
  tableName: 'ended_tokens',
  properties: {
    jti: p.string().length(64).primary(),
    exp: p.bigint('number').index('ix_ended_tokens_exp'),
  },
})
