/** Packets: of a capture file, of an interface, or of a capture that another program writes. */
import { Type } from 'typebox'
import { defineSource, duration, EngineError, size } from '../engine/index.ts'
import { jsonDraft } from './lines/json_line.ts'
import { type FilePosition, readCaptureFile } from './pcap/capture_file.ts'
import { INTERFACE_NAME } from './pcap/capture_interface.ts'
import { captureLive } from './pcap/capture_live.ts'
import { type LivePosition, readCaptureStream } from './pcap/capture_stream.ts'
import { readCapturedEvents } from './pcap/captured_events.ts'
import { chooseDriver } from './pcap/choose_driver.ts'
import { PACKET_TOPIC } from './pcap/packets.ts'

/** An event as a line, with a packet as long as packets get in base64. Characters. */
const MAX_LINE = 512 * 1024
/** Below it nothing is captured, above it libpcap counts in a signed 32 bit number. bytes */
const BUFFER = { least: 64 * 1024, most: 2 ** 31 - 1 }

export const pcap = defineSource({
  type: 'pcap',
  summary: 'Each frame of a capture file, or of an interface while it passes.',
  promise:
    'Of a file replayable: the position is the byte behind the last record, and an event id names ' +
    'the place of its frame. What is captured live or comes from standard input is lost if the ' +
    'process dies before it is written; what the kernel drops is counted.',
  config: Type.Object({
    file: Type.Optional(
      Type.String({
        description:
          'Capture to read to its end: pcap or pcapng, plain, gzip or zstd. Nothing is filtered.',
      }),
    ),
    stdin: Type.Boolean({
      default: false,
      description: 'true: read such a capture from standard input.',
    }),
    interface: Type.Optional(
      Type.String({
        pattern: `^$|${INTERFACE_NAME.source}`,
        description:
          'Interface to capture on. Left out or empty, and without `file` and `stdin`: the parent ' +
          'of the deckies as the state file has it, else `decnet_macvlan0`, else `decnet_ipvlan0`.',
      }),
    ),
    state_file: Type.String({
      default: '/var/lib/decnet/decnet-state.json',
      minLength: 1,
      description: 'File whose `config.interface` names the parent of the deckies.',
    }),
    filter: Type.String({
      default: 'tcp or udp port 443 or icmp6',
      pattern: '^[\\x20-\\x7e]{0,4096}$',
      description: 'What to capture on the interface, as in pcap-filter(7); empty: all.',
    }),
    snaplen: Type.Integer({
      default: 65_535,
      minimum: 96,
      maximum: 262_144,
      description: 'Bytes of a packet that are captured, at most.',
    }),
    buffer: size({
      default: '64MiB',
      description:
        'Memory in which the kernel keeps packets for us, 64KiB to 2GiB. With `immediate` each ' +
        'packet takes the room of `snaplen` bytes, however short it is.',
    }),
    immediate: Type.Boolean({
      default: true,
      description:
        'Hand each packet on when it comes. false: after a second at most, and in return `buffer` ' +
        'holds a thousand times as many short packets, so that a flood loses none.',
    }),
    promiscuous: Type.Boolean({
      default: true,
      description: 'Whether to see packets for other hosts too.',
    }),
    driver: Type.Enum(['auto', 'tcpdump', 'libpcap'], {
      default: 'auto',
      description:
        'What captures: `tcpdump`, a process of its own that alone needs the right to; `libpcap`, ' +
        'the npm package `pcap`, in this process; `auto`: tcpdump where it is installed.',
    }),
    tcpdump: Type.String({
      default: 'tcpdump',
      pattern: '^(?:/|[A-Za-z0-9_])[A-Za-z0-9_./+-]*$',
      description: 'Path of tcpdump, or its name, to be found in `$PATH` and the usual folders.',
    }),
    retry: duration({
      default: '60s',
      description: 'Time between two looks for an interface that is not there, 10ms at least.',
    }),
  }),
  examples: [
    { title: 'Whatever reaches the deckies', yaml: 'type: pcap' },
    {
      title: 'One interface, all TCP',
      yaml: 'type: pcap\ninterface: eth1\nfilter: tcp\nbuffer: 128MiB',
    },
    { title: 'A night that was captured', yaml: 'type: pcap\nfile: night.pcapng.gz' },
  ],
  replayable: ({ file }) => Boolean(file),
  check({ file, interface: name, stdin, buffer }) {
    const given = [file && 'file', name && 'interface', stdin && 'stdin'].filter(Boolean)
    if (given.length > 1) {
      throw new EngineError('CONFIG', `takes one of ${given.join(' and ')}, not both`)
    }
    if (buffer >= BUFFER.least && buffer <= BUFFER.most) return
    throw new EngineError('CONFIG', '"buffer" must be between 64KiB and 2GiB')
  },
  async *read(config, position: FilePosition | LivePosition | undefined, context) {
    const { file, interface: name, stdin } = config
    if (file) {
      const saved = position && 'fingerprint' in position ? position : undefined
      yield* readCaptureFile(file, saved, context)
      return
    }
    const saved = position && 'received' in position ? position : undefined
    if (stdin) {
      yield* readCaptureStream(process.stdin, saved, context)
      return
    }
    const driver = await chooseDriver(config, context)
    const options = { ...config, interface: name || undefined }
    yield* captureLive(options, driver, saved, context)
  },
  fromLine: (line, receivedAt) =>
    jsonDraft({ text: line.slice(0, MAX_LINE), truncated: line.length > MAX_LINE }, receivedAt, {
      topic: PACKET_TOPIC,
    }),
  readCapture: (bytes, _config, context) => readCapturedEvents(bytes, context),
})
