/** Every component there is. A test holds this list against the three folders. */
import { makeRegistry, type Registry } from '../engine/define.ts'
import { asn } from '../operators/asn.ts'
import { attackerProfile } from '../operators/attacker_profile.ts'
import { bounty } from '../operators/bounty.ts'
import { campaignCluster } from '../operators/campaign_cluster.ts'
import { correlate } from '../operators/correlate.ts'
import { country } from '../operators/country.ts'
import { credential } from '../operators/credential.ts'
import { credentialReuse } from '../operators/credential_reuse.ts'
import { dbLookup } from '../operators/db_lookup.ts'
import { deckyFilter } from '../operators/decky_filter.ts'
import { dedup } from '../operators/dedup.ts'
import { filter } from '../operators/filter.ts'
import { identityCluster } from '../operators/identity_cluster.ts'
import { map } from '../operators/map.ts'
import { parseCowrie } from '../operators/parse_cowrie.ts'
import { parseSyslog } from '../operators/parse_syslog.ts'
import { route } from '../operators/route.ts'
import { sequenceClass } from '../operators/sequence_class.ts'
import { sshBanner } from '../operators/ssh_banner.ts'
import { tcpFlow } from '../operators/tcp_flow.ts'
import { tcpSyn } from '../operators/tcp_syn.ts'
import { throttle } from '../operators/throttle.ts'
import { tlsCert } from '../operators/tls_cert.ts'
import { tlsHello } from '../operators/tls_hello.ts'
import { window } from '../operators/window.ts'
import { bus as busSink } from '../sinks/bus.ts'
import { ndjsonFile as ndjsonFileSink } from '../sinks/ndjson_file.ts'
import { nullSink } from '../sinks/null.ts'
import { repo } from '../sinks/repo.ts'
import { sse } from '../sinks/sse.ts'
import { stdout } from '../sinks/stdout.ts'
import { syslogFile as syslogFileSink } from '../sinks/syslog_file.ts'
import { webhook } from '../sinks/webhook.ts'
import { bus as busSource } from '../sources/bus.ts'
import { dbPoll } from '../sources/db_poll.ts'
import { interval } from '../sources/interval.ts'
import { ndjsonFile as ndjsonFileSource } from '../sources/ndjson_file.ts'
import { pcap } from '../sources/pcap.ts'
import { stdin } from '../sources/stdin.ts'
import { syslog } from '../sources/syslog.ts'
import { syslogFile as syslogFileSource } from '../sources/syslog_file.ts'

export const registry: Registry = makeRegistry([
  busSource,
  dbPoll,
  interval,
  ndjsonFileSource,
  pcap,
  stdin,
  syslog,
  syslogFileSource,
  asn,
  attackerProfile,
  bounty,
  campaignCluster,
  correlate,
  country,
  credential,
  credentialReuse,
  dbLookup,
  deckyFilter,
  dedup,
  filter,
  identityCluster,
  map,
  parseCowrie,
  parseSyslog,
  route,
  sequenceClass,
  sshBanner,
  tcpFlow,
  tcpSyn,
  throttle,
  tlsCert,
  tlsHello,
  window,
  busSink,
  ndjsonFileSink,
  nullSink,
  repo,
  sse,
  stdout,
  syslogFileSink,
  webhook,
])
