/**
 * Adds up what the test runner reported: `node .ci/tally.ts REPORT` prints `PASSED FAILED`, and a
 * line on stderr for each failure and each skipped test. A file that could not even be loaded
 * counts as one failure, and so does a missing report.
 */
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** The part of the runner's JSON report that we read. */
interface Report {
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: { fullName: string; status: string }[]
  }[]
}

// Real captures lie beside the checkout, or they do not. Where they do, nothing may be skipped;
// where not, only their tests are: with CI=true a missing service fails instead of skipping.
const complete = existsSync(new URL('../../shared/corpus', import.meta.url))

function tally({ testResults }: Report): { passed: number; failed: number } {
  const count = { passed: 0, failed: 0 }
  const fail = (what: string) => {
    count.failed += 1
    process.stderr.write(`FAILED ${what}\n`)
  }
  for (const { name: path, status, message, assertionResults } of testResults) {
    const name = relative('', path)
    for (const test of assertionResults) {
      if (test.status === 'passed') count.passed += 1
      else if (test.status === 'failed') fail(`${name}: ${test.fullName}`)
      else if (complete) fail(`${name}: ${test.fullName} (it was skipped)`)
      else process.stderr.write(`skipped ${name}: ${test.fullName}\n`)
    }
    const blamed = assertionResults.some((test) => test.status === 'failed')
    if (status === 'failed' && !blamed) fail(`${name}: ${message ?? 'could not be loaded'}`)
  }
  return count
}

const [path = ''] = process.argv.slice(2)
const report: Report = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as Report)
  : { testResults: [{ name: path, status: 'failed', message: 'no report', assertionResults: [] }] }
const { passed, failed } = tally(report)
process.stdout.write(`${passed} ${failed}\n`)
