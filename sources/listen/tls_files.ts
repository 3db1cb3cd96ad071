/** Reads what a TLS listener needs. Not a component. */
import { readFile } from 'node:fs/promises'
import { EngineError } from '../../engine/index.ts'
import { quote } from '../../protocols/quote.ts'

export interface TlsConfig {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
  readonly ca?: string
  readonly client_cert: 'required' | 'optional' | 'none'
}

/** The part of `tls.TlsOptions` that depends on the configuration. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
}

/**
 * @param address as it stands in the pipeline file
 * @throws {EngineError} `TLS_CONFIG` where something is missing, `TLS_FILE` where a file cannot be read
 */
export async function readTlsFiles(
  address: string,
  config: TlsConfig | undefined,
): Promise<TlsFiles> {
  if (!config) throw new EngineError('TLS_CONFIG', `${address} needs tls: cert and key`)
  const { client_cert } = config
  if (client_cert !== 'none' && config.ca === undefined) {
    const message = `${address} needs tls: ca to check client certificates (or client_cert: none)`
    throw new EngineError('TLS_CONFIG', message)
  }
  const [cert, key, ca] = await Promise.all([
    read(config.cert),
    read(config.key),
    config.ca === undefined ? undefined : read(config.ca),
  ])
  return {
    cert,
    key,
    ...(ca && { ca }),
    requestCert: client_cert !== 'none',
    rejectUnauthorized: client_cert === 'required',
  }
}

const read = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    const message = `cannot read ${quote(path)}: ${error.code ?? 'unknown'}`
    throw new EngineError('TLS_FILE', message, { cause: error })
  })
