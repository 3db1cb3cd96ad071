/** What `lint` looks for, and what it does not hold against whom. */

/** Codes of findings, each with what it means; those of warnings of `validate` come on top. */
export const LINT_CODES = {
  CONSTANT_CONDITION: 'a condition that is true of every event, or of none',
  NO_TTL: 'keyed state that is kept for ever, until max_keys pushes it out',
  NO_ERROR_NOTE: 'nothing says what becomes of the events a sink refuses',
  NO_TESTS: 'the pipeline has no tests',
  NO_UNIT: 'a pipeline in pipelines/ has no unit: block, so its systemd unit has no description',
  PLAIN_SECRET: 'a password, token or key that stands in the file as it is',
} as const

export type LintCode = keyof typeof LINT_CODES
