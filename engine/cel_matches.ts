/** CEL's `matches`, in RE2 syntax and linear time whatever the text. */
import { createRequire } from 'node:module'
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import type * as Re2 from 're2js'
import { quote } from '../protocols/quote.ts'
import { EngineError } from './errors.ts'

// A pattern need not be a constant, so it may come from outside; these bound what it can cost.
const MAX_PATTERN = 1000
const MAX_COMPILED = 256

/** cel-js does not let its own `matches`, on RegExp, be replaced, so calls are led past it. */
const METHOD = 'matchesRe2'

const require = createRequire(import.meta.url)
/** The oldest goes first. */
const compiled = new Map<string, Re2.RE2JS>()

/** @throws {EngineError} `CEL_REGEX` on what is no RE2 syntax or too long */
function compiledRegex(pattern: string): Re2.RE2JS {
  const known = compiled.get(pattern)
  if (known) return known
  if (pattern.length > MAX_PATTERN) {
    throw new EngineError('CEL_REGEX', `a regular expression of ${pattern.length} characters`)
  }
  const made = compileRegex(pattern)
  if (compiled.size >= MAX_COMPILED) compiled.delete(compiled.keys().next().value as string)
  compiled.set(pattern, made)
  return made
}

function compileRegex(pattern: string): Re2.RE2JS {
  // Only here: most pipelines have no regular expression, and loading it takes 10 ms and more.
  const re2 = require('re2js') as typeof Re2
  try {
    return re2.RE2JS.compile(pattern)
  } catch (cause) {
    if (!(cause instanceof re2.RE2JSException)) throw cause
    const reason = cause.message.replace(/^error parsing regexp: /, '')
    throw new EngineError('CEL_REGEX', `not RE2 syntax: ${quote(reason)}`, { cause })
  }
}

const matches = (text: string, pattern: string): boolean => compiledRegex(pattern).test(text)

/** Registers what the calls that `leadPastRegExp` has changed are answered by. */
export function registerMatches(environment: Environment): void {
  environment.registerFunction(`string.${METHOD}(string): bool`, matches)
  environment.registerFunction('matches(string, string): bool', matches)
}

/**
 * Makes every `x.matches(y)` below `node` a call of ours, and compiles patterns that are constants.
 * @param refuse called with the pattern that is wrong, and why
 */
export function leadPastRegExp(
  node: ASTNode,
  refuse: (pattern: ASTNode, error: EngineError) => never,
): void {
  if (node.op === 'rcall' && node.args[0] === 'matches' && node.args[2].length === 1) {
    node.args[0] = METHOD
    checkConstant(node.args[2][0], refuse)
  } else if (node.op === 'call' && node.args[0] === 'matches')
    checkConstant(node.args[1][1], refuse)
  for (const part of nodesIn(node.args)) leadPastRegExp(part, refuse)
}

function checkConstant(
  pattern: ASTNode | undefined,
  refuse: (pattern: ASTNode, error: EngineError) => never,
): void {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return
  try {
    compiledRegex(pattern.args)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    refuse(pattern, error)
  }
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}

/** What cel-js says of a call that was led past its own `matches`, in the words of the author. */
export const inAuthorsWords = (message: string): string => message.replaceAll(METHOD, 'matches')
