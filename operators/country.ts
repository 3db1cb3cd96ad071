/** Adds the country that an address was given to. */
import { Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'
import { countryFiles } from '../store/country_files.ts'
import { answersOf } from '../store/watched_ranges.ts'

/** What `country_source` says. */
const SOURCE = 'rir'

export const country = defineOperator({
  type: 'country',
  summary: 'Puts `country_code` and `country_source` of the attacker_ip into each event.',
  promise:
    'Looked up in files of this host, which are read again when they change; a replay asks them ' +
    'too, unless a journal has the answer. Null where nothing is known, and for IPv6.',
  config: Type.Object({
    enabled: Type.Boolean({
      default: true,
      description: 'False: every country is null, and no file is looked at.',
    }),
    folder: Type.String({
      default: '/var/lib/decnet/geoip',
      description:
        'Holds the delegated files of the registries, any of `arin.txt`, `ripe.txt`, `apnic.txt`, ' +
        '`lacnic.txt` and `afrinic.txt`.',
    }),
  }),
  input: Type.Object({ attacker_ip: Type.String() }),
  examples: [
    {
      title: 'Two addresses, one of them private',
      yaml: 'type: country',
      run: {
        send: [{ data: { attacker_ip: '85.214.1.1' } }, { data: { attacker_ip: '10.0.0.1' } }],
        answers: { '85.214.1.1': 'DE', '10.0.0.1': null },
        expect: [
          { data: { attacker_ip: '85.214.1.1', country_code: 'DE', country_source: 'rir' } },
          { data: { attacker_ip: '10.0.0.1', country_code: null, country_source: null } },
        ],
      },
    },
  ],
  asksLocally: () => true,
  enrich: ({ enabled, folder }, context) => {
    const current = countryFiles(folder, context.log)
    return {
      key: ({ data }) => data.attacker_ip.slice(0, 64),
      ask: async (keys) => (enabled ? answersOf(current, keys) : new Map()),
      step(event, answer) {
        const code = typeof answer === 'string' ? answer : null
        const told = { country_code: code, country_source: code === null ? null : SOURCE }
        return { ...event, data: { ...event.data, ...told } }
      },
    }
  },
})
