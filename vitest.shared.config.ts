/** What both suites have in common. */
import { createRequire } from 'node:module'
import type { ViteUserConfig } from 'vitest/config'

// .ci/run adds up the counts from this file; a person at a terminal has no use for it.
const report = process.env.DECNET_TEST_REPORT

export const shared = {
  environment: 'node',
  // Pipelines of a test must not reach a broker of this host, nor wait for one.
  env: { DECNET_BUS_TYPE: 'memory' },
  reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  // The file that Node takes, too: the one for bundlers imports a folder.
  alias: { clipanion: createRequire(import.meta.url).resolve('clipanion') },
  // Not how long a test should take, but when a machine busy with other work gives up on it.
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // A clock or a variable that one test has changed must not reach the next.
  restoreMocks: true,
  unstubEnvs: true,
} satisfies ViteUserConfig['test']
