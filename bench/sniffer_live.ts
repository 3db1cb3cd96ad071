/**
 * The pipeline `sniffer` on a wire: tcpreplay sends SYNs of 1,000 sources over a cable between two
 * network namespaces, faster each time, until the kernel drops packets that tcpdump had no room for.
 * Goal: 50,000 packets a second without loss. Needs root, tcpdump and tcpreplay; sender, tcpdump and
 * pipeline share the processors of this machine. Packets are handed on many at a time (`immediate: false`,
 * unless DECNET_SNIFFER_IMMEDIATE says otherwise); each rate lasts longer than the buffer holds.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { canHaveTwoHosts, type TwoHosts, twoHosts } from '../test/services/two_hosts.ts'
import { goal, inScratch, row } from './_measure.ts'
import { findPeer } from './_peers.ts'
import { STATE, writeMarker, writeScan } from './_sniffer_captures.ts'

const RATES = (process.env.DECNET_BENCH_RATES ?? '20000,50000,75000').split(',').map(Number)
const SECONDS = Number(process.env.DECNET_BENCH_SECONDS ?? 25)
/** Packets before the measured ones, and how fast: a sniffer has been up for long. */
const WARM_UP = { packets: 20_000, rate: 5000 }
const SOURCES = 1000
/** ms for a marker to come through */
const PATIENCE = 60_000
const root = join(import.meta.dirname, '..')
const tcpreplay = findPeer('tcpreplay')

/** @returns packets a second that were sent */
function send({ hosts: [from] }: TwoHosts, file: string, rate: number): number {
  const words = ['-i', 'cable', '--pps', String(rate), '--preload-pcap', file]
  const [ip = '', ...within] = from.within
  const { status, stdout, stderr } = spawnSync(ip, [...within, tcpreplay?.path ?? '', ...words], {
    env: { ...process.env, ...tcpreplay?.env },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`tcpreplay: ${stderr}`)
  return Number(/([\d.]+) pps/.exec(stdout)?.[1])
}

interface Running {
  readonly child: ChildProcess
  readonly events: string
  log: string
}

function start({ hosts: [, decky] }: TwoHosts, folder: string, name: string): Running {
  const events = join(folder, `${name}.ndjson`)
  const pipeline = join(folder, 'sniffer.yaml')
  const shipped = readFileSync(join(root, 'pipelines/sniffer.yaml'), 'utf8')
  const sink = `  events: { type: ndjson_file, inputs: [fresh], path: ${events}, fsync: false }\n`
  writeFileSync(pipeline, shipped.replace('sinks:\n', `sinks:\n${sink}`))
  const [ip = '', ...within] = decky.within
  const run = ['pipeline', 'run', pipeline, '--state-dir', join(folder, name)]
  const child = spawn(ip, [...within, join(root, 'bin/decnet'), ...run], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      DECNET_BUS_TYPE: 'memory',
      DECNET_SNIFFER_IFACE: 'cable',
      DECNET_SNIFFER_IMMEDIATE: process.env.DECNET_SNIFFER_IMMEDIATE ?? 'false',
      DECNET_SNIFFER_DATABASE: 'false',
      DECNET_STATE_FILE: join(folder, 'state.json'),
      DECNET_INGEST_LOG_FILE: join(folder, `${name}.log`),
    },
  })
  const running: Running = { child, events, log: '' }
  child.stderr.on('data', (text) => {
    running.log += text
  })
  return running
}

/** Sends a SYN of an address of its own until its event is written: all before it has been read. */
async function throughput(
  network: TwoHosts,
  { events, child, log }: Running,
  folder: string,
  last: number,
) {
  const file = join(folder, 'marker.pcap')
  const address = writeMarker(file, last)
  const began = performance.now()
  while (!existsSync(events) || !readFileSync(events, 'utf8').includes(`"${address}"`)) {
    if (performance.now() - began > PATIENCE || child.exitCode !== null) throw new Error(log)
    send(network, file, 1)
    await pause(300)
  }
}

/** @returns packets that were dropped, and the rate at which they were sent */
async function attempt(network: TwoHosts, folder: string, rate: number) {
  const [warm, scan] = [join(folder, 'warm.pcap'), join(folder, 'scan.pcap')]
  writeScan(warm, WARM_UP.packets, SOURCES)
  writeScan(scan, rate * SECONDS, SOURCES)
  const running = start(network, folder, `rate_${rate}`)
  try {
    await throughput(network, running, folder, 1)
    send(network, warm, WARM_UP.rate)
    const sent = send(network, scan, rate)
    await throughput(network, running, folder, 2)
    running.child.kill('SIGTERM')
    await once(running.child, 'exit')
    const dropped = running.log
      .split('\n')
      .flatMap((line) => /"dropped":(\d+)/.exec(line)?.[1] ?? [])
      .reduce((sum, count) => sum + Number(count), 0)
    return { sent, dropped }
  } finally {
    running.child.kill('SIGKILL')
  }
}

if (!tcpreplay) process.stdout.write('  tcpreplay is not there: bench/install_peers.sh\n')
else if (canHaveTwoHosts()) {
  await inScratch(async (folder) => {
    writeFileSync(join(folder, 'state.json'), STATE)
    const network = twoHosts()
    let best = 0
    try {
      row(`${SECONDS} s each`, 'asked for/s', 'sent/s', 'dropped')
      for (const rate of RATES) {
        const { sent, dropped } = await attempt(network, folder, rate)
        const shown = [rate, Math.round(sent), dropped].map((number) => number.toLocaleString('en'))
        row('', ...shown)
        if (dropped > 0) break
        best = Math.round(sent)
      }
    } finally {
      network.remove()
    }
    goal('packets a second without loss', best, { least: 50_000 })
  })
}
