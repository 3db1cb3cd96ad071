/** What is written from the registry and checked in: the reference pages and the JSON Schema. */

import { pipelineSchema } from '../engine/pipeline_schema.ts'
import { componentPage, indexPage, pageName } from '../engine/reference_page.ts'
import { registry } from './registry.ts'

/** The folder that holds generated pages only, from the root of the checkout. */
export const PAGES_FOLDER = 'docs/components'

export const schemaText = (): string => `${JSON.stringify(pipelineSchema(registry), null, 2)}\n`

/** @returns path from the root of the checkout → text */
export function generatedFiles(): Map<string, string> {
  const files = new Map([
    ['pipelines/pipeline.schema.json', schemaText()],
    [`${PAGES_FOLDER}/README.md`, indexPage(registry)],
  ])
  for (const component of registry.values()) {
    files.set(`${PAGES_FOLDER}/${pageName(component)}`, componentPage(component))
  }
  return files
}
