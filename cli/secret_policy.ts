/** The secrets every role shares: where they are found, and which are too weak to be one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../engine/errors.ts'
import { SECRETS } from './known_variables.ts'

type Environment = Readonly<Record<string, string | undefined>>

const GUESSED = ['fallback-secret-key-change-me', 'admin', 'secret', 'password', 'changeme']

/**
 * @returns the value and where it is from; undefined where it is nowhere
 */
export function findSecret(
  name: string,
  env: Environment,
): { readonly value: string; readonly origin: string } | undefined {
  if (env[name] !== undefined) return { value: env[name], origin: 'environment' }
  const credential = SECRETS[name]?.credential
  const folder = env.CREDENTIALS_DIRECTORY
  if (!folder || credential === undefined) return undefined
  const file = join(folder, credential)
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, ''), origin: file }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** @returns why a value must not be used, without any part of it; undefined where it may */
export function secretFault(name: string, value: string, env: Environment): string | undefined {
  if (env.DECNET_TESTING === '1') return undefined
  if (value === '') return 'it is empty'
  if (GUESSED.includes(value.toLowerCase())) return 'it is one that everybody knows'
  const least = SECRETS[name]?.least ?? 0
  if (value.length >= least || env.DECNET_DEVELOPER?.toLowerCase() === 'true') return undefined
  return `it has less than ${least} characters`
}

/**
 * The environment with the database's password in it, if a credential holds it.
 * @throws {EngineError} `SETTINGS` where that is too weak and a server is to be asked with it
 */
export function withDatabasePassword(env: Environment): Environment {
  const name = 'DECNET_DB_PASSWORD'
  // Where no server is asked, nothing that is wrong with a password may be in the way.
  if (env.DECNET_DB_URL || (env.DECNET_DB_TYPE || 'sqlite').toLowerCase() === 'sqlite') return env
  const found = findSecret(name, env)
  if (!found) return env
  const fault = secretFault(name, found.value, env)
  if (fault !== undefined) throw new EngineError('SETTINGS', `${name} is refused: ${fault}`)
  return { ...env, [name]: found.value }
}
