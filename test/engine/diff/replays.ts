/** Replays for tests: pipelines as text or as plans, a capture of lines, a directory each. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryBus } from '../../../bus/memory_bus.ts'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline } from '../../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../../engine/context.ts'
import type { Plan } from '../../../engine/plan.ts'
import { type ReplayOptions, replay } from '../../../engine/replay.ts'

export interface Scratch {
  readonly dir: string
  /** A capture of these lines. */
  capture(lines: readonly string[]): string
  options(plans: Plan[], file: string): Omit<ReplayOptions, 'sinkDir' | 'writeDatabase'>
  /** Replays into a directory of that name, and returns it. */
  run(name: string, plans: Plan | Plan[], file: string, batchSize?: number): Promise<string>
  remove(): void
}

export function scratch(): Scratch {
  const dir = mkdtempSync(join(tmpdir(), 'decnet-runs-'))
  const options = (plans: Plan[], file: string) => {
    const bus = memoryBus()
    const use = (async () => bus) as unknown as ResourceUse
    return { plans, captures: [{ file }], use, log: silentLog }
  }
  return {
    dir,
    options,
    capture(lines) {
      const file = join(dir, 'capture.log')
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
      return file
    },
    async run(name, plans, file, batchSize) {
      const sinkDir = join(dir, name)
      const all = options([plans].flat(), file)
      await replay({ ...all, sinkDir, writeDatabase: false, batchSize })
      return sinkDir
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

export function compiled(text: string): Plan {
  const { plan, problems } = compilePipeline(text, 'test.yaml', { registry, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  return plan
}

/** A login at second `n`, as a decky reports it. */
export const login = (n: number, decky: string, secret = 'aHVudGVyMg=='): string =>
  `<134>1 2026-03-01T09:00:${String(n).padStart(2, '0')}+00:00 ${decky} auth-helper - auth_attempt ` +
  `[relay@55555 src_ip="198.51.100.7" username="root" secret_b64="${secret}"]`
