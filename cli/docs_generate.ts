import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'clipanion'
import { exitCode } from './exit_code.ts'
import { generatedFiles, PAGES_FOLDER } from './generated_files.ts'
import { installRoot } from './install.ts'

/** Writes, or checks, what is generated from the components. */
export class DocsGenerate extends Command {
  static override paths = [['docs', 'generate']]
  static override usage = Command.Usage({
    category: 'For developers',
    description: 'Write docs/components and the JSON Schema from the components themselves.',
    examples: [
      ['After changing a component', '$0 docs generate'],
      ['Is what is checked in up to date?', '$0 docs generate --check'],
    ],
  })
  check = Option.Boolean('--check', false, { description: 'write nothing; exit 1 if one is stale' })

  override async execute(): Promise<number> {
    const files = generatedFiles()
    const stale = staleFiles(files)
    for (const path of stale) {
      if (!this.check) renew(path, files.get(path))
      this.context.stdout.write(`${path}: ${this.check ? 'stale' : 'written'}\n`)
    }
    if (!this.check || stale.length === 0) return exitCode.ok
    this.context.stderr.write('run: decnet docs generate\n')
    return exitCode.failed
  }
}

/** Paths whose file is missing, differs, or belongs to a component that is no more. */
function staleFiles(files: ReadonlyMap<string, string>): string[] {
  const folder = join(installRoot, PAGES_FOLDER)
  mkdirSync(folder, { recursive: true })
  const orphans = readdirSync(folder)
    .map((entry) => `${PAGES_FOLDER}/${entry}`)
    .filter((path) => !files.has(path))
  return [...[...files.keys()].filter((path) => contentOf(path) !== files.get(path)), ...orphans]
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(join(installRoot, path), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function renew(path: string, text: string | undefined): void {
  if (text === undefined) rmSync(join(installRoot, path))
  else writeFileSync(join(installRoot, path), text)
}
