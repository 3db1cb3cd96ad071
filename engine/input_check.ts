/** Checks `event.data` and saved state against the shapes a component declares. */
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { EngineError } from './errors.ts'
import type { Data } from './event.ts'

/** @returns a function that throws `INPUT_SCHEMA` for data that does not fit */
export function inputCheck(schema: TSchema | undefined): (data: Data) => void {
  if (!schema) return () => undefined
  const validator = Compile(schema)
  return (data) => {
    if (validator.Check(data)) return
    const [first] = validator.Errors(data)
    const where = `data${first?.instancePath.replaceAll('/', '.') ?? ''}`
    throw new EngineError('INPUT_SCHEMA', `${where} ${first?.message ?? 'does not fit'}`)
  }
}

/** @returns whether JSON text of a key's state still has the declared shape */
export function stateCheck(schema: TSchema | undefined): (state: string) => boolean {
  if (!schema) return () => true
  const validator = Compile(schema)
  return (state) => validator.Check(JSON.parse(state))
}
