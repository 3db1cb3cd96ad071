import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url).pathname

/** Each row: the file, the line planted in it, and how the complaint begins. */
const refused: [file: string, line: string, message: string][] = [
  ['protocols/a.ts', "import { x } from '../engine/event.ts'", 'Layer: protocols/ imports nothing'],
  ['protocols/deep/a.ts', "import { x } from '../../store/x.ts'", 'Layer: protocols/ imports not'],
  ['protocols/b.ts', "import { readFile } from 'node:fs'", 'Layer: protocols/ is pure'],
  ['protocols/c.ts', "import { readFile } from 'node:fs/promises'", 'Layer: protocols/ is pure'],
  ['engine/a.ts', "import { x } from '../store/database.ts'", 'Layer: engine/ knows no honeypot'],
  ['engine/b.ts', "import { x } from '../sources/stdin.ts'", 'Layer: engine/ knows no honeypot'],
  ['engine/deep/a.ts', "import { x } from '../../cli/main.ts'", 'Layer: engine/ knows no honeypot'],
  ['engine/c.ts', "export { x } from '../bus/bus.ts'", 'Layer: engine/ knows no honeypot'],
  ['engine/d.ts', "export const x = import('../sinks/repo.ts')", 'Layer: engine/ knows no'],
  ['engine/e.ts', "export type X = import('../sinks/repo.ts').X", 'Layer: an inline import() type'],
  ['store/a.ts', "import { x } from '../bus/bus.ts'", 'Layer: store/ knows rows'],
  ['store/b.ts', "import { x } from '../engine/plan.ts'", 'Layer: outside engine/ only its'],
  ['bus/a.ts', "import { x } from '../store/database.ts'", 'Layer: bus/ carries messages'],
  ['bus/b.ts', "import { x } from '../engine/plan.ts'", 'Layer: outside engine/ only its'],
  ['sources/a.ts', "import { x } from './stdin.ts'", 'Layer: a component never imports'],
  ['sources/b.ts', "import { x } from '../sinks/repo.ts'", 'Layer: a component never imports'],
  ['sources/c.ts', "import { x } from './folder/index.ts'", 'Layer: a component never imports'],
  ['sources/deep/a.ts', "import { x } from '../stdin.ts'", 'Layer: a component never imports'],
  ['operators/a.ts', "import { x } from '../sources/stdin.ts'", 'Layer: a component never impo'],
  ['operators/b.ts', "import { x } from '../engine/plan.ts'", 'Layer: outside engine/ only its'],
  [
    'operators/deep/a.ts',
    "import { x } from '../../engine/plan.ts'",
    'Layer: outside engine/ only',
  ],
  ['operators/deep/b.ts', "import { x } from '../map.ts'", 'Layer: a component never imports'],
  ['operators/c.ts', "import { readFileSync } from 'node:fs'", 'Layer: an operator does no I/O'],
  ['operators/d.ts', "export const x = await import('node:net')", 'Layer: an operator does no'],
  ['sinks/a.ts', "import { x } from '../web/api.ts'", 'Layer: components are below web/'],
  ['sinks/b.ts', "import { x } from '../cli/main.ts'", 'Layer: components are below web/'],
  ['sinks/c.ts', "import { x } from './stdout.ts'", 'Layer: a component never imports'],
  ['web/a.ts', "import { x } from '../operators/map.ts'", 'Layer: web/ shows what is stored'],
  ['web/b.ts', "import { x } from '../engine/plan.ts'", 'Layer: outside engine/ only its'],
  [
    'web/dashboard/src/live/a.ts',
    "import { x } from '../../../api/serve.ts'",
    'Layer: web/dashboard/',
  ],
  [
    'web/dashboard/src/live/b.tsx',
    "import { x } from '../../../../bus/bus.ts'",
    'Layer: web/dashbo',
  ],
  ['web/dashboard/src/live/c.ts', "import { join } from 'node:path'", 'Layer: web/dashboard/ runs'],
  ['samples/a.ts', "import { x } from '../cli/main.ts'", 'Layer: nothing imports cli/'],
  ['engine/now.ts', 'export const x = Date.now()', "Time: the host's clock differs"],
  ['engine/now_passed_on.ts', 'export const x = [Date.now]', "Time: the host's clock differs"],
  ['engine/today.ts', 'export const x = new Date()', "Time: the host's clock differs"],
  ['engine/today_bare.ts', 'export const x = Date()', "Time: the host's clock differs"],
  ['engine/hidden.ts', 'export const { now } = Date', 'Time: a renamed Date or Math'],
  ['engine/hidden2.ts', 'export const { random } = Math', 'Time: a renamed Date or Math'],
  [
    'engine/hrtime.ts',
    'export const x = process.hrtime.bigint()',
    "Time: the host's clock differs",
  ],
  ['engine/performance.ts', 'export const x = performance.now()', "Time: the host's clock differs"],
  ['engine/through.ts', 'globalThis.setTimeout(() => 1, 1)', 'Time: through globalThis'],
  ['operators/later.ts', 'setTimeout(() => 1, 5)', 'Time: a host timer is in no checkpoint'],
  ['operators/later2.ts', 'export const x = setInterval', 'Time: a host timer is in no'],
  ['sinks/timers.ts', "import { setTimeout } from 'node:timers/promises'", 'Time: a host timer is'],
  ['sinks/abort.ts', 'export const x = AbortSignal.timeout(5)', 'Time: a host timer is in no'],
  ['sources/random.ts', 'export const x = Math.random()', 'Time: random values differ'],
  ['sources/uuid.ts', 'export const x = crypto.randomUUID()', 'Time: random values differ'],
  ['sources/uuid2.ts', "import { randomUUID } from 'node:crypto'", 'Time: random values differ'],
  ['protocols/uuid3.ts', "import { randomUUID as y } from 'node:crypto'", 'Time: random values'],
  ['store/uuid4.ts', 'export const x = web.randomUUID()', 'Time: random values differ'],
  ['engine/rx.ts', "import { map, timer } from 'rxjs'", 'Time: RxJS time operators'],
  ['engine/rx2.ts', "import { delay as wait } from 'rxjs'", 'Time: RxJS time operators'],
  ['engine/rx3.ts', "import { debounceTime } from 'rxjs/operators'", 'Time: RxJS time operators'],
  ['engine/rx4.ts', "import * as rx from 'rxjs'", 'Time: the rule on RxJS time operators'],
  ['engine/rx5.ts', "export { interval } from 'rxjs'", 'Time: the rule on RxJS time'],
  ['samples/now.ts', 'export const x = Date.now()', "Time: the host's clock differs"],
  ['engine/swallow.ts', 'try { x() } catch {}', 'Errors: an empty catch hides'],
  ['cli/swallow.ts', 'try { x() } catch (error) {}', 'Errors: an empty catch hides'],
  ['cli/swallow_finally.ts', 'try { x() } catch (error) {} finally { y() }', 'Errors: an empty'],
  ['cli/swallow2.ts', 'x().catch(() => {})', 'Errors: a promise whose failure'],
  ['store/say.ts', "console.log('x')", 'noConsole'],
  ['store/any.ts', 'export const x: any = 1', 'noExplicitAny'],
  ['store/ignore.ts', '// @ts-ignore: it works\nexport const x = 1', 'noTsIgnore'],
  ['test/store/only.test.ts', "it.only('x', () => {})", 'noFocusedTests'],
  ['store/default.ts', 'export default 1', 'noDefaultExport'],
  ['store/camelCase.ts', 'export const x = 1', 'useFilenamingConvention'],
  ['store/extension.ts', "import { x } from './database'", 'useImportExtensions'],
  ['store/bare.ts', "import { readFile } from 'fs'", 'useNodejsImportProtocol'],
  ['store/one.ts', "import { y } from './two.ts'\nexport const x = y", 'noImportCycles'],
  ['store/two.ts', "import { x } from './one.ts'\nexport const y = x", 'noImportCycles'],
]

/** What must stay allowed, or people would turn the rules off. */
const welcome: [file: string, line: string][] = [
  ['protocols/good.ts', "import { quote } from './quote.ts'"],
  ['protocols/good2.ts', "import { createHash } from 'node:crypto'"],
  ['protocols/deep/good.ts', "import { quote } from '../quote.ts'"],
  ['engine/good.ts', "import { quote } from '../protocols/quote.ts'"],
  ['engine/good2.ts', "import { Subject, map, mergeMap } from 'rxjs'"],
  ['engine/good3.ts', 'export const x = new Date(5).toJSON() + Date.parse("1970-01-01Z")'],
  ['engine/deep/good.ts', "import { makeBatch } from '../batch.ts'"],
  ['store/good.ts', "import { defineResource } from '../engine/index.ts'"],
  ['sources/good.ts', "import { defineSource } from '../engine/index.ts'"],
  ['sources/good2.ts', "import { database } from '../store/database.ts'"],
  ['sources/good3.ts', "import { followFile } from './follow/file.ts'"],
  ['sources/follow/good.ts', "import { x } from './file.ts'"],
  ['operators/deep/good.ts', "import { defineOperator } from '../../engine/index.ts'"],
  ['operators/deep/good2.ts', "import { quote } from '../../protocols/quote.ts'"],
  ['sources/tcp_transport.ts', 'export const x = setTimeout(() => Date.now(), 5)'],
  ['bus/nats_transport.ts', 'export const x = setInterval(() => Math.random(), 5)'],
  ['engine/clock.ts', 'export const x = setTimeout(() => Date.now(), performance.now())'],
  [
    'cli/good.ts',
    "import { compilePipeline } from '../engine/compile.ts'\nconsole.log(Date.now())",
  ],
  ['bench/good.ts', "import { x } from '../cli/registry.ts'\nconsole.log(performance.now())"],
  ['test/store/good.test.ts', "import { x } from '../../engine/plan.ts'\nsetTimeout(x, 1)"],
  ['store/good_catch.ts', 'try { x() } catch (error) { throw new Error("x", { cause: error }) }'],
  ['store/good_catch2.ts', 'try { x() } catch {\n  // Gone already, which is what we want.\n}'],
  ['store/good_name.ts', "export const x = fit('${NAME}')"],
  ['web/good.ts', "import { x } from '../bus/bus.ts'"],
  ['web/dashboard/src/live/good.tsx', "import { ask } from '../api/client.ts'\nDate.now()"],
]

// Planted lines are not whole programs; what these rules say of them is beside the point.
const besides = ['noUnusedImports', 'noUnusedVariables', 'noUndeclaredVariables', 'useTemplate']

describe('the house rules', () => {
  let folder = ''
  /** What the linter says about each file, as one text. */
  const said = new Map<string, string>()

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'house-rules-'))
    for (const name of ['biome.json', 'lint', '.gitignore']) {
      cpSync(join(root, name), join(folder, name), { recursive: true })
    }
    for (const [file, line] of [...refused, ...welcome, ['store/database.ts', 'export {}']]) {
      mkdirSync(dirname(join(folder, file as string)), { recursive: true })
      writeFileSync(join(folder, file as string), `${line}\n`)
    }
    const output = await lint(folder)
    for (const block of output.split(/^(?=\S+\.tsx?(?::\d+:\d+)? \S+)/m)) {
      const [, file, rule = ''] = /^(\S+?\.tsx?)(?::\d+:\d+)? (\S+)/.exec(block) ?? []
      if (file === undefined || besides.some((name) => rule.endsWith(name))) continue
      said.set(file, `${said.get(file) ?? ''}${block.replace(/\s+/g, ' ')}`)
    }
  }, 30_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(refused)('refuse in %s: %s', (file, _line, message) => {
    expect(said.get(file) ?? 'nothing').toContain(message)
  })

  it.each(welcome)('have nothing against %s: %s', (file) => {
    expect(said.get(file)).toBeUndefined()
  })
})

function lint(folder: string): Promise<string> {
  const biome = join(root, 'node_modules/.bin/biome')
  const options = { cwd: folder, maxBuffer: 16 * 2 ** 20 }
  const words = ['lint', '--colors=off', '--max-diagnostics=none', '.']
  return new Promise((resolve) => {
    execFile(biome, words, options, (_error, stdout, stderr) => resolve(stdout + stderr))
  })
}
