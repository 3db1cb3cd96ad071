/** The suite of every commit, under five minutes on two cores; the long runs have their own file. */
import { configDefaults, defineConfig } from 'vitest/config'
import { shared } from './vitest.shared.config.ts'

export default defineConfig({
  test: {
    ...shared,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/long/**'],
    // Most of the time goes to programs that a test has started and waits for: one more than two cores.
    maxWorkers: 3,
  },
})
