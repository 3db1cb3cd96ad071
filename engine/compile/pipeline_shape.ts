/** The top level of a pipeline file. The sections are read node by node, so here they are open. */
import { Type } from 'typebox'
import { testsSchema } from './pipeline_tests_block.ts'
import { settingsSchema } from './settings.ts'
import { unitSchema } from './unit.ts'

const SECTION_DESCRIPTIONS = {
  sources: 'Where events come from, by node id.',
  operators: 'What happens to events, by node id.',
  sinks: 'Where events go, by node id.',
} as const

const open = (description: string) => Type.Optional(Type.Unknown({ description }))

const head = {
  name: Type.String({
    pattern: '^[a-z][a-z0-9_-]*$',
    maxLength: 64,
    description: 'Name of the pipeline: lower case, the same as that of its file and its unit.',
  }),
  description: Type.String({ minLength: 1, description: 'What the pipeline is for, in a line.' }),
  sources: open(SECTION_DESCRIPTIONS.sources),
  operators: open(SECTION_DESCRIPTIONS.operators),
  sinks: open(SECTION_DESCRIPTIONS.sinks),
}

/** Blocks that are read by themselves, so that a slip in one does not keep another unchecked. */
export const BLOCKS = {
  settings: settingsSchema,
  unit: Type.Optional(unitSchema),
  tests: Type.Optional(testsSchema),
} as const

/** All keys of the file, with the blocks left open. */
export const topLevelSchema = Type.Object({
  ...head,
  settings: open(''),
  unit: open(''),
  tests: open(''),
})

/** The whole file but for the nodes in the sections. */
export const pipelineFileSchema = Type.Object({ ...head, ...BLOCKS })
