/** Where `${secret:name}` finds its value, and how it is kept out of what people see. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A secret is a key or a password; whatever is longer was not meant. */
const LARGEST_SECRET = 64 * 1024

const SECRET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** Names cannot leave their directory: no slash, no leading dot. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name)

export interface SecretStore {
  /** Reads one secret, once; `reason` never holds any part of a value. */
  read(name: string): { readonly value: string } | { readonly reason: string }
  /** One line that says where to put the secret. */
  wayOut(name: string): string
  /** Every secret that was read, by name. */
  readonly known: ReadonlyMap<string, string>
}

type Found = ReturnType<SecretStore['read']>

/**
 * Secrets of `$CREDENTIALS_DIRECTORY/name` (systemd), else of `directory/name`, else of the variable
 * `DECNET_SECRET_NAME`. The first place that has the name decides, even if it cannot be read.
 * @param directory defaults to `$DECNET_SECRETS_DIR`
 */
export function openSecrets(
  env: Readonly<Record<string, string | undefined>>,
  directory = env.DECNET_SECRETS_DIR,
): SecretStore {
  const directories = [env.CREDENTIALS_DIRECTORY, directory].filter(
    (path): path is string => path !== undefined && path !== '',
  )
  const seen = new Map<string, Found>()
  const known = new Map<string, string>()
  return {
    known,
    read(name) {
      const found = seen.get(name) ?? readSecret(name, directories, env)
      seen.set(name, found)
      if ('value' in found) known.set(name, found.value)
      return found
    },
    wayOut: (name) =>
      `put it in ${directories.length > 0 ? directories.map((path) => join(path, name)).join(' or ') : `a file ${name} in $CREDENTIALS_DIRECTORY or $DECNET_SECRETS_DIR`}, or set ${variableOf(name)}.`,
  }
}

const variableOf = (name: string): string =>
  `DECNET_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`

function readSecret(
  name: string,
  directories: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Found {
  for (const directory of directories) {
    const found = readSecretFile(join(directory, name))
    if (found !== undefined) return found
  }
  const value = Object.hasOwn(env, variableOf(name)) ? env[variableOf(name)] : undefined
  if (value === undefined) return { reason: 'there is no such file and no such variable' }
  return value === '' ? { reason: 'it is empty' } : { value }
}

/** @returns undefined where there is no such file */
function readSecretFile(path: string): Found | undefined {
  let file: number
  try {
    // Opening a FIFO would wait for its writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    return { reason: `its file cannot be read (${code})` }
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) return { reason: 'it is not a file' }
    if (status.size > LARGEST_SECRET) return { reason: `it is over ${LARGEST_SECRET} bytes` }
    // Editors and `echo` end a file with a newline that is no part of the secret.
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    return value === '' ? { reason: 'it is empty' } : { value }
  } finally {
    closeSync(file)
  }
}

/**
 * Takes secrets out of a text that is about to be shown or logged.
 * @param secrets value by name, as `SecretStore.known` has them
 */
export function redact(text: string, secrets: ReadonlyMap<string, string>): string {
  // Longest first: one secret may hold another.
  const byLength = [...secrets].sort(([, one], [, other]) => other.length - one.length)
  return byLength.reduce(
    (safe, [name, value]) => safe.replaceAll(value, () => `\${secret:${name}}`),
    text,
  )
}
