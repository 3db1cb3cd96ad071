/** Finds the credential in a log record. */
import { hash } from 'node:crypto'
import { Type } from 'typebox'
import { type Context, defineOperator } from '../engine/index.ts'
import { decodeSecret, principalOf, printable } from '../protocols/captured_secret.ts'
import { realService } from '../protocols/real_service.ts'
import { fieldText } from '../protocols/record_data.ts'

/** Columns of the credentials table, in characters; a longer value is cut and counted. */
const LIMITS = {
  principal: 256,
  secret_kind: 32,
  secret_b64: 2048,
  secret_printable: 512,
  outcome: 16,
} as const

export const credential = defineOperator({
  type: 'credential',
  summary: 'One event per secret that an attacker sent: whose, to which service, and its hash.',
  promise:
    'One event per record that has a secret_b64, other records are filtered; secrets that are no ' +
    'base64 go to <node>.errors.',
  config: Type.Object({}),
  input: Type.Object({
    attacker_ip: Type.String(),
    decky: Type.String(),
    service: Type.String(),
    // Free: a record without fields has no credential, and is no mistake.
    fields: Type.Optional(Type.Unknown()),
  }),
  examples: [
    {
      title: 'A password guessed over SSH',
      yaml: 'type: credential',
      run: {
        send: [
          {
            topic: 'system.log',
            data: {
              attacker_ip: '198.51.100.7',
              decky: 'web-01',
              service: 'auth-helper',
              fields: {
                username: 'root',
                secret_printable: 'hunter2',
                secret_b64: 'aHVudGVyMg==',
              },
            },
          },
          {
            topic: 'system.log',
            data: { attacker_ip: '198.51.100.7', decky: 'web-01', service: 'http', fields: {} },
          },
        ],
        expect: [
          {
            topic: 'credential.captured',
            data: {
              service: 'ssh',
              principal: 'root',
              secret_kind: 'plaintext',
              secret_sha256: 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7',
            },
          },
        ],
      },
    },
  ],
  pure: true,
  each: (_config, context) => (event) => {
    const { attacker_ip, decky, service, fields } = event.data
    if (!isFields(fields)) {
      context.explain?.('the record has no fields, so no secret')
      return undefined
    }
    const base64 = fieldText(fields, 'secret_b64')
    if (base64 === undefined) {
      context.explain?.('the record has no secret_b64')
      return undefined
    }
    const bytes = decodeSecret(base64)
    const cut = cutter(context)
    const principal = cut('principal', principalOf(fields))
    const data = {
      attacker_ip,
      decky,
      service: realService(service, fields),
      principal,
      principal_key: principal ?? '',
      secret_kind: cut('secret_kind', fieldText(fields, 'secret_kind') || 'plaintext'),
      secret_sha256: hash('sha256', bytes, 'hex'),
      secret_b64: cut('secret_b64', base64),
      secret_printable: cut(
        'secret_printable',
        fieldText(fields, 'secret_printable') ?? printable(bytes),
      ),
      outcome: cut('outcome', fieldText(fields, 'outcome') ?? null),
      fields,
      ...cut.flags(),
    }
    return { topic: 'credential.captured', time: event.time, data }
  },
})

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Cuts values to their limits, counts each cut, and remembers which names to flag. */
function cutter(context: Context) {
  const truncated: string[] = []
  function cut<T extends string | null>(name: keyof typeof LIMITS, value: T): T {
    if (value === null || value.length <= LIMITS[name]) return value
    context.count('truncated')
    truncated.push(name)
    // A cut may halve a surrogate pair, which no database would give back.
    return value.slice(0, LIMITS[name]).toWellFormed() as T
  }
  cut.flags = () => (truncated.length > 0 ? { truncated } : {})
  return cut
}
