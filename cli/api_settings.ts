/** What the environment says of the API. */
import { existsSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { EngineError } from '../engine/errors.ts'
import { quote } from '../protocols/quote.ts'
import type { ApiSettings } from '../web/api/services.ts'
import { installedVersion, installRoot } from './install.ts'
import { findSecret, secretFault } from './secret_policy.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ApiEnvironment {
  readonly settings: ApiSettings
  readonly host: string
  readonly port: number
  readonly adminUser: string
  /** undefined: one is made up for the first user */
  readonly adminPassword: string | undefined
}

/**
 * @throws {EngineError} `SETTINGS` on what is missing, weak or out of range; no secret is shown
 * @see spec/workers-and-systemd.md section 10, spec/api-and-sse.md section 1
 */
export function apiEnvironment(env: Environment): ApiEnvironment {
  const host = env.DECNET_API_HOST || '127.0.0.1'
  const port = Number(env.DECNET_API_PORT || '8000')
  const jwtSecret = secret('DECNET_JWT_SECRET', env)
  if (jwtSecret === undefined) {
    throw new EngineError('SETTINGS', 'DECNET_JWT_SECRET is not set: 32 random characters or more')
  }
  return {
    host,
    port,
    adminUser: env.DECNET_ADMIN_USER || 'admin',
    adminPassword: secret('DECNET_ADMIN_PASSWORD', env),
    settings: {
      jwtSecret,
      tokenMinutes: integerSetting('DECNET_JWT_EXP_MINUTES', env, 240, 525_600),
      corsOrigins: origins(env, host, port),
      trustedProxies: proxies(env),
      streamsPerUser: integerSetting('DECNET_SSE_MAX_PER_USER', env, 5, 100_000),
      developer: env.DECNET_DEVELOPER?.toLowerCase() === 'true',
      dashboard: dashboardFolder(),
      version: installedVersion(),
    },
  }
}

function secret(name: string, env: Environment): string | undefined {
  const found = findSecret(name, env)
  if (!found || (found.value === '' && name !== 'DECNET_JWT_SECRET')) return undefined
  const fault = secretFault(name, found.value, env)
  if (fault !== undefined) throw new EngineError('SETTINGS', `${name} is refused: ${fault}`)
  return found.value
}

/** @throws {EngineError} `SETTINGS` on what is not from 1 to `most` */
export function integerSetting(
  name: string,
  env: Environment,
  fallback: number,
  most: number,
): number {
  const text = env[name] || String(fallback)
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  throw new EngineError('SETTINGS', `${name} is ${quote(text)}; expected 1 to ${most}`)
}

/** Pages that may ask: those of the web server, and of whatever else is named. */
function origins(env: Environment, apiHost: string, apiPort: number): readonly string[] {
  const given = (env.DECNET_CORS_ORIGINS ?? '').split(',').map((one) => one.trim())
  const named = given.filter((one) => one !== '')
  if (named.includes('*')) {
    throw new EngineError('SETTINGS', 'DECNET_CORS_ORIGINS is `*`: name the origins')
  }
  if (named.length > 0) return named
  const web = originOf(env.DECNET_WEB_HOST || '127.0.0.1', env.DECNET_WEB_PORT || '8080')
  return [web, originOf(apiHost, String(apiPort))]
}

/** Whoever is named may say who a client is; whoever is not says it in vain. */
function proxies(env: Environment): readonly string[] {
  const given = (env.DECNET_TRUSTED_PROXIES ?? '').split(',').map((one) => one.trim())
  return given
    .filter((one) => one !== '')
    .map((one) => {
      const [address = '', bits, ...more] = one.split('/')
      const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
      const isFit = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
      if (most > 0 && isFit && more.length === 0) return one
      throw new EngineError(
        'SETTINGS',
        `DECNET_TRUSTED_PROXIES has ${quote(one)}; expected addresses or networks`,
      )
    })
}

const ANY_HOST = new Set(['0.0.0.0', '::', '127.0.0.1', '::1'])

function originOf(host: string, port: string): string {
  const name = ANY_HOST.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

function dashboardFolder(): string | undefined {
  const folder = join(installRoot, 'web/dashboard/dist')
  return existsSync(folder) ? folder : undefined
}
