/**
 * Faults, fuzzing and soaks. How long they run is their own affair: they read their counts from
 * the environment (`DECNET_LONG_…`) and have defaults that suit CI.
 */
import { defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.config.ts'

export default defineConfig({
  test: {
    ...shared,
    include: ['test/long/**/*.test.ts'],
    testTimeout: 30 * 60_000,
    // They measure and kill processes: side by side they would disturb one another.
    fileParallelism: false,
  },
})
