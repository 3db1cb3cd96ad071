/** The variables settings come from: their defaults, and what the sections of decnet.ini call them. */

interface Variable {
  readonly default?: string
  /** `section key`, for the sections that hold in every mode */
  readonly ini?: string
  readonly kind?: 'port' | 'mode' | 'integer'
}

/** Credentials; never in the INI, never shown. Each is also read from `$CREDENTIALS_DIRECTORY`. */
export const SECRETS: Readonly<Record<string, { readonly credential: string; least?: number }>> = {
  DECNET_JWT_SECRET: { credential: 'jwt_secret', least: 32 },
  DECNET_ADMIN_PASSWORD: { credential: 'admin_password', least: 12 },
  DECNET_DB_PASSWORD: { credential: 'db_password' },
  DECNET_SECRET_KEY: { credential: 'secret_key', least: 32 },
}

/** @see spec/workers-and-systemd.md section 10 */
export const VARIABLES: Readonly<Record<string, Variable>> = {
  DECNET_MODE: { default: 'master', kind: 'mode' },
  DECNET_DISALLOW_MASTER: { default: 'true' },
  DECNET_API_HOST: { default: '127.0.0.1', ini: 'api host' },
  DECNET_API_PORT: { default: '8000', ini: 'api port', kind: 'port' },
  DECNET_WEB_HOST: { default: '127.0.0.1', ini: 'web host' },
  DECNET_WEB_PORT: { default: '8080', ini: 'web port', kind: 'port' },
  DECNET_ADMIN_USER: { default: 'admin', ini: 'web admin-user' },
  DECNET_CORS_ORIGINS: { ini: 'web cors-origins' },
  DECNET_TRUSTED_PROXIES: { ini: 'web trusted-proxies' },
  DECNET_JWT_EXP_MINUTES: { default: '240', ini: 'api token-minutes', kind: 'integer' },
  DECNET_SSE_MAX_PER_USER: { default: '5', ini: 'api streams-per-user', kind: 'integer' },
  DECNET_CAPTURES_DIR: { ini: 'replay captures-dir' },
  DECNET_REPLAYS_DIR: { ini: 'replay runs-dir' },
  DECNET_REPLAYS_KEPT: { default: '10', ini: 'replay kept', kind: 'integer' },
  DECNET_REPLAY_MAX_MB: { default: '1024', ini: 'replay max-mb', kind: 'integer' },
  DECNET_REPLAY_MAX_MINUTES: { default: '30', ini: 'replay max-minutes', kind: 'integer' },
  DECNET_DB_TYPE: { default: 'sqlite', ini: 'database type' },
  DECNET_DB_URL: { ini: 'database url' },
  DECNET_DB_HOST: { default: 'localhost', ini: 'database host' },
  DECNET_DB_PORT: { default: '3306', ini: 'database port', kind: 'port' },
  DECNET_DB_NAME: { default: 'decnet', ini: 'database name' },
  DECNET_DB_USER: { default: 'decnet', ini: 'database user' },
  DECNET_BUS_ENABLED: { ini: 'bus enabled' },
  DECNET_BUS_TYPE: { ini: 'bus type' },
  DECNET_BUS_SOCKET: { ini: 'bus socket' },
  DECNET_BUS_GROUP: { ini: 'bus group' },
  DECNET_SWARM_MASTER_HOST: { ini: 'swarm master-host' },
  DECNET_SWARM_SYSLOG_PORT: { default: '6514', ini: 'swarm syslog-port', kind: 'port' },
  DECNET_SWARMCTL_PORT: { default: '8770', ini: 'swarm swarmctl-port', kind: 'port' },
  DECNET_SWARMCTL_HOST: { default: '127.0.0.1', ini: 'swarm swarmctl-host' },
  DECNET_SYSTEM_LOGS: { ini: 'logging system-log' },
  DECNET_INGEST_LOG_FILE: { default: '/var/log/decnet/decnet.log', ini: 'logging ingest-log' },
  DECNET_AGENT_LOG_FILE: { default: '/var/log/decnet/agent.log', ini: 'logging agent-log' },
  DECNET_BATCH_SIZE: { default: '100', ini: 'ingester batch-size', kind: 'integer' },
  DECNET_BATCH_MAX_WAIT_MS: {
    default: '250',
    ini: 'ingester batch-max-wait-ms',
    kind: 'integer',
  },
  DECNET_SNIFFER_IFACE: {},
  DECNET_SNIFFER_DATABASE: { default: 'false' },
  DECNET_SNIFFER_IMMEDIATE: { default: 'true' },
  DECNET_STATE_FILE: { default: '/var/lib/decnet/decnet-state.json' },
  DECNET_DEVELOPER_TRACING: { default: 'false', ini: 'tracing enabled' },
  DECNET_OTEL_ENDPOINT: { default: 'http://localhost:4317', ini: 'tracing otel-endpoint' },
  DECNET_DEVELOPER: { default: 'false' },
  DECNET_STATE_DIR: {},
  DECNET_DATA_DIR: {},
  DECNET_LOG_LEVEL: { default: 'info' },
  DECNET_SECRETS_DIR: {},
  DECNET_WEBHOOK_CIRCUIT_THRESHOLD: { default: '5', kind: 'integer' },
  DECNET_WEBHOOK_ALLOW_PRIVATE: { default: 'false' },
}

/** Names of secrets and of switches for developers: those belong in the environment only. */
const PRIVATE = /(?:SECRET|PASSWORD|PASSWD|TOKEN|API_KEY|PRIVATE_KEY|CREDENTIAL)(?:_|$)/
const DEVELOPERS = /^DECNET_(?:DEVELOPER$|TESTING$|EMBED_|PROFILE_)/

/** Whether a variable holds what nobody should see; a database URL may hold a password. */
export const isSecret = (name: string): boolean =>
  PRIVATE.test(name) && name !== 'DECNET_SECRETS_DIR'

export const isForIni = (name: string): boolean => !isSecret(name) && !DEVELOPERS.test(name)
