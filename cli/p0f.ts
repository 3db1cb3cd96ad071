import { Command, Option } from 'clipanion'
import { ownSignatures } from '../protocols/fingerprint/own_signatures.ts'
import { P0fError } from '../protocols/fingerprint/p0f_error.ts'
import { matchParams, type P0fModule } from '../protocols/fingerprint/p0f_match.ts'
import { matchRawSignature } from '../protocols/fingerprint/p0f_raw_match.ts'
import { LineSplitter } from '../protocols/line_splitter.ts'
import { quote } from '../protocols/quote.ts'
import { readSignatureFile } from '../store/signature_file.ts'
import { exitCode } from './exit_code.ts'
import { outputFormat, p0fModule } from './option_values.ts'
import { safeJson } from './safe_json.ts'
import { UsageError } from './usage_error.ts'

/** Bytes; a signature has 400 characters at most, and what follows it on a line is not looked at. */
const MAX_LINE = 4096
/** Bad lines that are told of one by one. */
const MOST_TOLD = 20

/** Looks up signatures that p0f, or our own `p0f_sig`, wrote down. */
export class P0f extends Command {
  static override paths = [['p0f']]
  static override usage = Command.Usage({
    description: 'Look up the signatures of p0f logs: label, params and distance of each.',
    details:
      'A signature is the `raw_sig` of a p0f log, or `p0f_sig` of an event. `-` reads lines from ' +
      'standard input: `raw_sig`, or `mod` and `raw_sig` with a tab between; further columns are ' +
      'not looked at. A line that is no signature is told on stderr, the others are looked up, and ' +
      'the exit code is 78. Without `--p0f-fp` the signatures are a few of our own. The text says ' +
      'nothing of the ToS byte, so `params` has no `tos:`.',
    examples: [
      ['One signature', "$0 p0f '4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0'"],
      [
        'A column of a log, by the file of p0f itself',
        'cut -f1,2 log.tsv | $0 p0f --p0f-fp /etc/p0f/p0f.fp -',
      ],
    ],
  })
  signatures = Option.Rest({ name: 'raw_sig', required: 1 })
  file = Option.String('--p0f-fp', { description: 'signature file in the format of p0f 3' })
  module = Option.String('--module', 'syn', {
    description: 'syn or syn+ack: what the signatures are of, where the line does not say',
    validator: p0fModule,
  })
  output = Option.String('-o,--output', 'human', {
    description: 'human (label, params, distance, tabs between), json: an object a line',
    validator: outputFormat,
  })

  override async execute(): Promise<number> {
    const { stdin, stdout, stderr } = this.context
    const look = lookUp(this.output, this.file, (warning) => stderr.write(warning))
    if (this.signatures.length === 1 && this.signatures[0] === '-') {
      const lines = new SignatureLines(look, this.module)
      for await (const chunk of stdin as AsyncIterable<Buffer>) stdout.write(lines.answer(chunk))
      stdout.write(lines.end())
      stderr.write(lines.complaint())
      return lines.bad > 0 ? exitCode.badConfig : exitCode.ok
    }
    // All of them before the first is printed: a wrong one is a wrong command line.
    stdout.write(this.signatures.map((text) => lookOrRefuse(look, this.module, text)).join(''))
    return exitCode.ok
  }
}

/** @returns a line of output; throws {P0fError} where the text is no signature of a packet */
type LookUp = (module: P0fModule, signature: string) => string

/** @throws {EngineError} `P0F_FILE` */
function lookUp(
  output: 'human' | 'json',
  file: string | undefined,
  warn: (text: string) => unknown,
): LookUp {
  const database = file === undefined ? ownSignatures() : readSignatureFile(file)
  for (const { line, message } of database.problems) {
    warn(`warning: ${quote(file ?? '', MAX_LINE)} line ${line} is left out: ${message}\n`)
  }
  return (module, signature) => {
    const match = matchRawSignature(database, module, signature)
    const { label, kind, fuzzy, distance, rule } = match
    const params = matchParams(match)
    if (output === 'human') return `${safeJson(label, 0).slice(1, -1)}\t${params}\t${distance}\n`
    const found = {
      label,
      kind: kind ?? null,
      params,
      distance,
      fuzzy,
      rule_line: rule?.line ?? null,
    }
    return `${safeJson({ module, raw_sig: signature, ...found }, 0)}\n`
  }
}

/** @throws {UsageError} */
function lookOrRefuse(look: LookUp, module: P0fModule, text: string): string {
  try {
    return look(module, text)
  } catch (error) {
    if (!(error instanceof P0fError)) throw error
    throw new UsageError(`${quote(text, 200)} is no signature of a packet: ${error.message}.`)
  }
}

/** Looks up line by line what comes in pieces. */
class SignatureLines {
  /** lines that are no signature */
  bad = 0
  readonly #look: LookUp
  readonly #module: P0fModule
  readonly #splitter = new LineSplitter({ maxLine: MAX_LINE })
  #number = 0
  #told = ''

  /** @param module of lines that do not say */
  constructor(look: LookUp, module: P0fModule) {
    this.#look = look
    this.#module = module
  }

  answer(chunk: Buffer): string {
    this.#splitter.push(chunk)
    let text = ''
    for (let line = this.#splitter.take(); line; line = this.#splitter.take()) {
      text += this.#line(line.text)
    }
    return text
  }

  end(): string {
    const last = this.#splitter.end()
    return last ? this.#line(last.text) : ''
  }

  /** What was wrong, for people. */
  complaint(): string {
    const more = this.bad - MOST_TOLD
    return more > 0 ? `${this.#told}${more} more lines are wrong\n` : this.#told
  }

  #line(text: string): string {
    this.#number += 1
    if (text === '') return ''
    const [first = '', second] = text.split('\t', 2)
    try {
      return second === undefined
        ? this.#look(this.#module, first)
        : this.#look(moduleOf(first), second)
    } catch (error) {
      if (!(error instanceof P0fError)) throw error
      this.bad += 1
      if (this.bad <= MOST_TOLD) this.#told += `error: line ${this.#number}: ${error.message}\n`
      return ''
    }
  }
}

/** @throws {P0fError} */
function moduleOf(text: string): P0fModule {
  if (text === 'syn' || text === 'syn+ack') return text
  throw new P0fError('P0F_SIGNATURE', `module ${quote(text)} is not syn or syn+ack`)
}
