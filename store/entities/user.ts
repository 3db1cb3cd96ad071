/** Table `users`: who may use the dashboard and the API. */
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
