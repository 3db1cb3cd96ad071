/** Test results as JUnit XML, which CI servers show. */
import type { TestResult } from './pipeline_test.ts'

/** The results of one pipeline file. */
export interface TestedFile {
  readonly pipeline: string
  readonly file: string
  readonly results: readonly TestResult[]
}

/** @returns a whole XML document */
export function junitText(tested: readonly TestedFile[]): string {
  const suites = tested.map(suiteText).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites}</testsuites>\n`
}

function suiteText({ pipeline, file, results }: TestedFile): string {
  const failures = results.filter(({ differences }) => differences.length > 0).length
  const seconds = results.reduce((sum, { took }) => sum + took, 0) / 1000
  const counts = `tests="${results.length}" failures="${failures}" time="${seconds.toFixed(3)}"`
  const cases = results.map((result) => caseText(pipeline, file, result)).join('')
  return `  <testsuite name="${xml(pipeline)}" ${counts}>\n${cases}  </testsuite>\n`
}

function caseText(pipeline: string, file: string, result: TestResult): string {
  const { name, line, took, differences } = result
  const place = `file="${xml(file)}" line="${line}" time="${(took / 1000).toFixed(3)}"`
  const head = `    <testcase classname="${xml(pipeline)}" name="${xml(name)}" ${place}`
  const [first] = differences
  if (!first) return `${head}/>\n`
  const all = differences.map(({ message }) => message).join('\n')
  return `${head}>\n      <failure message="${xml(first.message)}">${xml(all)}</failure>\n    </testcase>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** XML 1.0 has no form at all for most control characters: they become a replacement mark. */
const xml = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => ENTITIES[char] as string)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]/g, '\ufffd')
