/** The text of a new pipeline: it validates, passes its tests, and has nothing for lint to say. */

/** @param schema whether the editor's schema lies beside it */
export function pipelineText(name: string, { schema }: { schema: boolean }): string {
  const variable = `DECNET_${name.toUpperCase().replaceAll('-', '_')}`
  const header = schema ? '# yaml-language-server: $schema=./pipeline.schema.json\n' : ''
  return `${header}name: ${name}
description: Events of a file that have a message, to another file

sources:
  lines:
    type: ndjson_file
    path: \${${variable}_INPUT:-/var/log/decnet/${name}.in.ndjson}

operators:
  wanted: { type: filter, inputs: [lines], where: has(data.message) }

sinks:
  # What cannot be written goes to the dead letters: decnet pipeline dlq ls.
  kept:
    type: ndjson_file
    inputs: [wanted]
    path: \${${variable}_OUTPUT:-/var/log/decnet/${name}.out.ndjson}

unit:
  description: DECNET pipeline ${name}

tests:
  - name: an event with a message is kept, one without is not
    send:
      lines:
        - { data: { message: hello } }
        - { data: { other: 1 } }
    expect:
      kept: [{ data: { message: hello } }]
`
}
