/** Where real captures are, on machines that have them: beside the repository, or where asked. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const BESIDE = fileURLToPath(new URL('../../../../shared/corpus/', import.meta.url))
const DIRECTORY = process.env.DECNET_TEST_CORPUS ?? BESIDE

export const corpusIsHere = existsSync(DIRECTORY)

export const corpusPath = (path: string): string => `${DIRECTORY}/${path}`

export const corpusBytes = (path: string): Buffer => readFileSync(corpusPath(path))

export const corpusLines = (path: string): string[] =>
  corpusBytes(path)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
