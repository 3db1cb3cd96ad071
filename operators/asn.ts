/** Adds the autonomous system that announces an address. */
import { Type } from 'typebox'
import { defineOperator } from '../engine/index.ts'
import { asnFile } from '../store/asn_file.ts'
import { answersOf } from '../store/watched_ranges.ts'

export const asn = defineOperator({
  type: 'asn',
  summary: 'Puts `asn`, the number of the autonomous system of the attacker_ip, into each event.',
  promise:
    'Looked up in a file of this host, which is read again when it changes; a replay asks it too, ' +
    'unless a journal has the answer. Null where nothing is known, and for IPv6.',
  config: Type.Object({
    enabled: Type.Boolean({
      default: true,
      description: 'False: every number is null, and no file is looked at.',
    }),
    folder: Type.String({
      default: '/var/lib/decnet/geoip',
      description: 'Holds `ip2asn-v4.tsv` or `ip2asn-v4.tsv.gz` of iptoasn.com.',
    }),
  }),
  input: Type.Object({ attacker_ip: Type.String() }),
  examples: [
    {
      title: 'Two addresses, one of them private',
      yaml: 'type: asn',
      run: {
        send: [{ data: { attacker_ip: '85.214.1.1' } }, { data: { attacker_ip: '10.0.0.1' } }],
        answers: { '85.214.1.1': 6724, '10.0.0.1': null },
        expect: [
          { data: { attacker_ip: '85.214.1.1', asn: 6724 } },
          { data: { attacker_ip: '10.0.0.1', asn: null } },
        ],
      },
    },
  ],
  asksLocally: () => true,
  enrich: ({ enabled, folder }, context) => {
    const current = asnFile(folder, context.log)
    return {
      key: ({ data }) => data.attacker_ip.slice(0, 64),
      ask: async (keys) => (enabled ? answersOf(current, keys) : new Map()),
      step: (event, answer) => ({
        ...event,
        data: { ...event.data, asn: typeof answer === 'number' ? answer : null },
      }),
    }
  },
})
