/** Which events our services send, with which parameters: reference, not a filter. */

/** What a secret's bytes are. */
export type SecretKind =
  | 'plaintext'
  | 'http_bearer'
  | 'http_digest_md5'
  | 'snmp_community'
  | 'postgres_md5_challenge'
  | 'mysql_native_password'
  | 'vnc_des_response'
  | 'ntlmssp_v1'
  | 'ntlmssp_v2'
  | 'scram_sha1'
  | 'scram_sha256'
  | 'scram_unknown'

/** One event that a service sends. */
export interface CatalogueEntry {
  readonly service: string
  readonly event: string
  /** parameters that are always there, the address included */
  readonly params: readonly string[]
  /** parameters that may be there */
  readonly optional: readonly string[]
  /** what the secret may be; empty where there is none */
  readonly secretKinds: readonly SecretKind[]
}

/** @returns what we know of the event, or undefined: services we do not know are welcome too */
export const findCatalogueEntry = (service: string, event: string): CatalogueEntry | undefined =>
  byName.get(`${service} ${event}`)

/** Every known event, by service and in the order an attack sends them. */
export const catalogue = (): readonly CatalogueEntry[] => [...byName.values()]

// One line per event: its name, its parameters; `?` marks one that may be missing, and some words
// stand for several. Every service also sends `startup`, with text in MSG and no parameters.
const SHORTHANDS: Readonly<Record<string, string>> = {
  secret: 'secret_printable secret_b64',
  typed: 'secret_kind secret_printable secret_b64',
  cred: 'principal? secret_kind? secret_printable? secret_b64?',
  login: 'username principal secret_printable secret_b64',
  flow: 'src_ip src_port dst_ip dst_port',
  hello:
    'ja3 ja4 tls_version sni alpn raw_ciphers raw_extensions resumption? ja4l_rtt_ms? ja4l_client_ttl?',
  cert: 'subject_cn issuer self_signed not_before not_after sans?',
  target: 'target_ip target_port',
  ntlm: 'username domain principal secret_kind secret_printable secret_b64',
  dns: 'src src_port transport qname qtype qclass edns_size recursion_desired',
  stored: 'stored_as sha256 size',
}

interface Group {
  readonly services: string
  readonly kinds?: readonly SecretKind[]
  readonly events: string
}

const NTLM: readonly SecretKind[] = ['ntlmssp_v1', 'ntlmssp_v2']
const HTTP: readonly SecretKind[] = ['plaintext', 'http_bearer', 'http_digest_md5']

const GROUPS: readonly Group[] = [
  { services: 'auth-helper', kinds: ['plaintext'], events: 'auth_attempt: login src_ip' },
  { services: 'bash', events: 'command:' },
  {
    services: 'sessrec',
    events: `session_recorded: sid service src_ip duration_s bytes truncated
      session_skipped: reason`,
  },
  {
    services: 'ssh',
    events: `file_captured: stored orig_path src_ip src_port ssh_user ssh_pid attribution writer_pid writer_comm writer_uid mtime meta_json_b64`,
  },
  {
    services: 'ftp',
    kinds: ['plaintext'],
    events: `connection: src_ip src_port
      user: username src_ip?
      auth_attempt: login src_ip?
      download_attempt: path src_ip?
      disconnect: src_ip src_port`,
  },
  {
    services: 'imap pop3',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      command: src cmd state
      auth: src login outcome
      disconnect: src src_port?`,
  },
  { services: 'pop3', events: 'retr: src message_num\ndelete: src message_num' },
  {
    services: 'smtp smtp_relay',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      ehlo: src domain
      auth_attempt: src login
      mail_from: src value mail_from domain
      rcpt_to: src value
      rcpt_denied: src value
      rcpt_rejected_syntax: src value
      rcpt_rejected_tld: src value
      rcpt_greylisted: src value
      message_accepted: src mail_from rcpt_to body_bytes truncated msg_id
      message_stored: src msg_id stored truncated mail_from rcpt_to subject from_hdr to_hdr date_hdr message_id_hdr content_type return_path x_mailer dkim_signed spf_pass attachment_count attachments_json urls_json body_simhash body_base64_bytes html_smuggling
      vrfy: src value
      unknown_command: src command
      disconnect: src src_port?`,
  },
  {
    services: 'redis',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      command: src cmd args
      auth: src principal? secret
      disconnect: src src_port?`,
  },
  {
    services: 'mysql',
    kinds: ['mysql_native_password'],
    events: `connect: src src_port connection_id
      auth: src username connection_id principal secret_kind? secret_printable? secret_b64?
      disconnect: src`,
  },
  {
    services: 'mssql',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      auth: src login
      unknown_packet: src pkt_type
      disconnect: src src_port?`,
  },
  {
    services: 'postgres',
    kinds: ['postgres_md5_challenge'],
    events: `connect: src src_port?
      startup: src? username? database?
      auth: src username principal database pw_hash typed
      disconnect: src src_port?`,
  },
  {
    services: 'mongodb',
    kinds: ['scram_sha1', 'scram_sha256', 'scram_unknown'],
    events: `connect: src src_port?
      message: src opcode length
      auth_start: src mechanism username
      auth: src username principal mechanism typed
      disconnect: src src_port?`,
  },
  {
    services: 'ldap',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      bind: src dn principal secret
      disconnect: src src_port?`,
  },
  {
    services: 'smb',
    kinds: NTLM,
    events: `connection: src_ip src_port
      auth_attempt: src_ip src_port ntlm
      error: src_ip?
      disconnect: src_ip src_port`,
  },
  {
    services: 'rdp',
    kinds: NTLM,
    events: `connection: src_ip src_port
      rdp_cookie: src_ip src_port requested_protocols username principal
      connection_request: src_ip src_port requested_protocols
      auth_attempt: src_ip src_port auth_path ntlm
      tls_handshake_failed: src_ip src_port?
      error: src_ip?
      disconnect: src_ip src_port`,
  },
  {
    services: 'vnc',
    kinds: ['vnc_des_response'],
    events: `connect: src src_port?
      version: src client_version
      security_choice: src type
      auth_response: src response typed
      disconnect: src src_port?`,
  },
  {
    services: 'snmp',
    kinds: ['snmp_community'],
    events: `get_request: src src_port version community oids typed
      parse_error: src? error data`,
  },
  {
    services: 'mqtt',
    kinds: ['plaintext'],
    events: `connect: src src_port?
      auth: login src?
      subscribe: src topics
      publish: src topic payload
      packet: src pkt_type
      protocol_error: src? error
      config_error: error
      disconnect: src src_port?`,
  },
  {
    services: 'sip',
    kinds: ['http_digest_md5'],
    events: 'request: src src_port method from_ to username auth cred',
  },
  {
    services: 'http https docker_api',
    kinds: HTTP,
    events: 'request: method path remote_addr headers body cred',
  },
  { services: 'k8s', kinds: HTTP, events: 'request: method path remote_addr auth body cred' },
  {
    services: 'http https',
    events: `http_request_fingerprint: remote_addr proto method path ja4h headers_ordered cookie accept_language
      http2_settings: remote_addr settings frame_order
      http3_settings: remote_addr settings frame_order
      http_access: remote_addr method path proto status bytes`,
  },
  {
    services: 'elasticsearch',
    kinds: HTTP,
    events: [
      ...'root_probe cat_api cluster_recon nodes_recon security_probe request'.split(' '),
      ...'head_request put_request delete_request post_request'.split(' '),
    ]
      .map((event) => `${event}: src method path cred body_preview? user_agent?`)
      .join('\n'),
  },
  {
    services: 'dns',
    events: `query: dns
      amp_probe: dns
      tunneling_suspect: dns tunnel_method
      zone_transfer: dns zone
      fingerprint_probe: src src_port? probe
      flood_suspect: src qps window_sec sample_qtype
      recon_burst: src distinct_types window_sec sequence
      malformed_packet: src length
      empty_question_section: src qid
      question_parse_error: src reason
      multi_question: src qdcount
      tracking_evicted:`,
  },
  {
    services: 'llmnr',
    events: 'query: src proto src_port name qtype\nraw_packet: src data error?',
  },
  {
    services: 'tftp',
    events: 'request: src src_port op filename mode\nunknown_opcode: src opcode data',
  },
  {
    services: 'conpot',
    events: 'request warning error log shutdown'
      .split(' ')
      .map((event) => `${event}: src? msg`)
      .join('\n'),
  },
  {
    services: 'sniffer',
    events: `tcp_syn_fingerprint: flow ttl initial_ttl hop_distance window mss wscale options_sig has_sack has_timestamps tos dscp ecn ipid_class ipid_samples isn_class isn_samples os_guess
      tcp_flow_timing: flow packets bytes duration_s mean_iat_ms min_iat_ms max_iat_ms retransmits
      tls_client_hello: flow hello
      tls_session: flow ja3s ja4s hello
      tls_certificate: flow cert sni?
      ssh_client_banner: flow ssh_version
      quic_client_hello: flow ja4_quic sni alpn raw_ciphers
      ipv6_link_local_leak: src_ip iid_kind mac_oui on_iface attacker_v4 observed_at`,
  },
  {
    services: 'prober',
    events: `jarm_fingerprint: target jarm_hash
      hassh_fingerprint: target hassh_server_hash ssh_banner kex_algorithms encryption_s2c mac_s2c compression_s2c
      tcpfp_fingerprint: target tcpfp_hash tcpfp_raw ttl window_size df_bit mss window_scale sack_ok timestamp options_order tos dscp ecn server_isn
      tls_certificate: target cert cert_sha256
      icmp_error_leak: target icmp_matrix icmp_fp_hash
      icmp6_error_leak: target icmp_matrix icmp_fp_hash
      fingerprint_rotated: target probe_type old_hash new_hash rotation_count
      prober_startup: interval? probe_ports?
      prober_error: error`,
  },
  {
    services: 'mutator',
    events: 'decky_mutated: decky old_services new_services trigger actor?',
  },
  {
    services: 'correlator',
    events:
      'traversal_detected: attacker_ip decky_count deckies first_seen last_seen hop_count duration_s',
  },
]

const expand = (word: string): string[] => SHORTHANDS[word]?.split(' ') ?? [word]

function entryOf(service: string, line: string, kinds: readonly SecretKind[]): CatalogueEntry {
  const [event = '', words = ''] = line.trim().split(/:\s*/)
  const names = words === '' ? [] : words.split(' ').flatMap(expand)
  const optional = names.filter((name) => name.endsWith('?')).map((name) => name.slice(0, -1))
  const params = names.filter((name) => !name.endsWith('?'))
  const hasSecret = names.some((name) => name.startsWith('secret_b64'))
  return { service, event, params, optional, secretKinds: hasSecret ? kinds : [] }
}

const byName: ReadonlyMap<string, CatalogueEntry> = new Map(
  GROUPS.flatMap(({ services, kinds = [], events }) =>
    services
      .split(' ')
      .flatMap((service) => events.split('\n').map((line) => entryOf(service, line, kinds))),
  ).map((entry) => [`${entry.service} ${entry.event}`, entry]),
)
