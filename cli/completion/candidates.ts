/** What can come next on a command line. */

/** A command as clipanion describes it. */
export interface Described {
  /** `decnet pipeline tap` */
  readonly path: string
  /** `decnet pipeline tap <pipeline> <node[.port]>` */
  readonly usage: string
  readonly options: readonly { readonly definition: string; readonly description?: string }[]
}

/** Where the words come from that no command knows. */
export interface Lookups {
  pipelines(): readonly string[]
  types(): readonly string[]
  /** Node ids of a pipeline; with a dot in `word`, their ports. */
  nodes(pipeline: string, word: string): readonly string[]
}

/**
 * @param words what follows `decnet`, the last one unfinished and maybe empty
 * @returns whole words for the last one; none: a file, or anything
 */
export function candidates(
  commands: readonly Described[],
  words: readonly string[],
  lookups: Lookups,
): readonly string[] {
  const before = words.slice(0, -1)
  const current = words.at(-1) ?? ''
  const paths = commands.map((command) => ({ command, path: command.path.split(' ').slice(1) }))
  const startsWith = (path: readonly string[], start: readonly string[]) =>
    start.every((word, index) => path[index] === word)
  const further = paths
    .filter(({ path }) => path.length > before.length && startsWith(path, before))
    .map(({ path }) => path[before.length] as string)
  const [match] = paths
    .filter(({ path }) => startsWith(before, path))
    .sort((a, b) => b.path.length - a.path.length)
  const own = match
    ? ofCommand(match.command, before.slice(match.path.length), current, lookups)
    : []
  return [...new Set([...further, ...own])].filter((word) => word.startsWith(current))
}

function ofCommand(
  command: Described,
  given: readonly string[],
  current: string,
  lookups: Lookups,
): readonly string[] {
  const options = command.options.flatMap(({ definition, description = '' }) => {
    const [names = '', value] = definition.split(' ')
    return names.split(',').map((name) => ({ name, takesValue: value !== undefined, description }))
  })
  const { positionals, waiting } = read(given, (word) =>
    options.some(({ name, takesValue }) => name === word && takesValue),
  )
  const kinds = positionalsOf(command)
  const pipeline = positionals[kinds.findIndex((kind) => /^pipeline/.test(kind))] ?? ''
  if (waiting !== undefined) {
    const option = options.find(({ name }) => name === waiting)
    return valuesOf(waiting, option?.description ?? '', pipeline, current, lookups)
  }
  if (current.startsWith('-')) return options.map(({ name }) => name)
  // The last of them may come again and again.
  const kind = kinds[Math.min(positionals.length, kinds.length - 1)] ?? ''
  const isSpent = positionals.length >= kinds.length && !/\.\.\.$/.test(command.usage)
  return isSpent ? [] : ofKind(kind, pipeline, current, lookups)
}

/** Tells arguments from options, and whether the last option waits for its value. */
function read(
  given: readonly string[],
  takesValue: (word: string) => boolean,
): { positionals: string[]; waiting: string | undefined } {
  const positionals: string[] = []
  let waiting: string | undefined
  for (const word of given) {
    if (waiting !== undefined) waiting = undefined
    else if (word.startsWith('-')) waiting = takesValue(word) ? word : undefined
    else positionals.push(word)
  }
  return { positionals, waiting }
}

/** `<pipeline> <node[.port]>` → their names; a list without a name is one of pipelines. */
function positionalsOf({ path, usage }: Described): readonly string[] {
  const rest = usage.slice(path.length)
  const named = [...rest.matchAll(/<([^>]+)>/g)].map(([, name = '']) => name)
  if (named.length > 0) return named
  return rest.includes('...') && path.includes(' pipeline ') ? ['pipeline'] : []
}

function ofKind(
  kind: string,
  pipeline: string,
  current: string,
  lookups: Lookups,
): readonly string[] {
  if (kind.includes('|')) return kind.split('|')
  if (kind === 'type') return lookups.types()
  if (/^node/.test(kind)) return lookups.nodes(pipeline, current)
  // A path is the shell's to complete.
  const isName = /^(pipeline|file|against)/.test(kind) && !/[./~]/.test(current)
  return isName ? lookups.pipelines() : []
}

/** `human (default) or json: …`: the words such a description begins with. */
const CHOICES = /^([a-z]+)(?: \(default\))?(?:(?:, | or |, or )([a-z]+))+(?= \(|:|$)/

function valuesOf(
  option: string,
  description: string,
  pipeline: string,
  current: string,
  lookups: Lookups,
): readonly string[] {
  if (['--tap', '--at', '--node'].includes(option)) return lookups.nodes(pipeline, current)
  if (option === '--against') return ofKind('pipeline', pipeline, current, lookups)
  const [choices] = CHOICES.exec(description) ?? []
  return (
    choices
      ?.replaceAll('(default)', '')
      .match(/[a-z]+/g)
      ?.filter((word) => word !== 'or') ?? []
  )
}
