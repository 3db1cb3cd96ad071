/** The `unit:` block: what the pipeline's systemd unit needs to know. */
import { Type } from 'typebox'

const NAME = '^[a-z_][a-z0-9_-]{0,31}$'

export const unitSchema = Type.Object(
  {
    description: Type.String({
      minLength: 1,
      maxLength: 200,
      pattern: '^[^\\n]*$',
      description: 'Description of the unit, one line.',
    }),
    user: Type.Optional(
      Type.String({ pattern: NAME, description: 'User the unit runs as, if not the default one.' }),
    ),
    group: Type.Optional(
      Type.String({
        pattern: NAME,
        description: 'Group the unit runs as, if not the default one.',
      }),
    ),
    groups: Type.Optional(
      Type.Array(Type.String({ pattern: NAME }), {
        uniqueItems: true,
        description: 'Supplementary groups, e.g. docker.',
      }),
    ),
    capabilities: Type.Optional(
      Type.Array(Type.String({ pattern: '^CAP_[A-Z_]+$' }), {
        uniqueItems: true,
        description: 'Capabilities kept, bounding and ambient, e.g. CAP_NET_BIND_SERVICE.',
      }),
    ),
    after: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[A-Za-z0-9@_.:-]+\\.(service|socket|target|mount|path|timer)$',
        }),
        { uniqueItems: true, description: 'Units to start after, e.g. mariadb.service.' },
      ),
    ),
    writable_paths: Type.Optional(
      Type.Array(Type.String({ pattern: '^/' }), {
        uniqueItems: true,
        description: 'Directories the unit may write, beside its own state.',
      }),
    ),
  },
  { description: 'What the systemd unit of this pipeline needs.' },
)
