/** A host of files only, and programs that only write down how they were called. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandResult } from '../../deploy/command_runner.ts'
import type { Host } from '../../deploy/host.ts'
import type { PipelineUnit } from '../../deploy/units.ts'

export const HOST: Host = {
  user: 'u1',
  group: 'g1',
  installDir: '/srv/decnet',
  runtimeDir: '/srv/decnet/venv',
  interpreter: undefined,
}

export const PIPELINE: PipelineUnit = {
  source: '/srv/decnet/pipelines/reuse-correlator.yaml',
  name: 'reuse-correlator',
  unit: { description: 'Credential reuse' },
  shutdownTimeout: 20_000,
  secrets: [],
}

export interface FakeHost {
  readonly prefix: string
  readonly commands: string[]
  readonly lines: string[]
  readonly run: (command: string, args: readonly string[]) => CommandResult
  readonly say: (line: string) => void
}

/** @param answer what a command line ends with; success where it says nothing */
export function fakeHost(answer: (line: string) => Partial<CommandResult> = () => ({})): FakeHost {
  const commands: string[] = []
  const lines: string[] = []
  return {
    prefix: mkdtempSync(join(tmpdir(), 'decnet-host-')),
    commands,
    lines,
    run(command, args) {
      const line = [command, ...args].join(' ')
      commands.push(line)
      return { code: 0, stdout: '', stderr: '', ...answer(line) }
    },
    say: (line) => lines.push(line),
  }
}
