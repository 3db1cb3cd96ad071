/** What a shell command is for, as a phase of the Unified Kill Chain. */
import type { Phase } from './clustering/ukc_phase.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/**
 * By the word that is called, where its arguments say nothing else. The phases are those of the ATT&CK
 * tactics of what the command is used for on a machine that was broken into; a word that is not here
 * (`cd`, `echo`, `sleep`) says nothing.
 * @see spec/clustering.md section 2
 */
const CALLED: Readonly<Partial<Record<Phase, string>>> = {
  // T1082, T1033, T1083, T1057, T1016, T1049
  discovery: `arch cat date dd df dig dir dmesg dmidecode du env file find free getconf getent groups
    head host hostname htop id ifconfig info ip keys last lastlog less ls lsblk lscpu lsmod lsof
    lspci lsusb more mount netstat nmap nproc nslookup nvidia-smi ping printenv ps pwd route show ss
    stat tail top traceroute uname uptime w whereis which who whoami arp masscan`,
  // T1053, T1098, T1136, T1543
  persistence: `adduser at chkconfig chpasswd crontab passwd ssh-keygen update-rc.d useradd usermod
    groupadd insmod modprobe`,
  // T1548
  privilege_escalation: 'doas pkexec setcap su sudo',
  // T1070, T1562, T1222
  defense_evasion: `auditctl chattr history iptables rm rmmod setenforce shred ufw unlink unset base64
    flushall`,
  // T1059
  execution: `. ash awk bash chmod csh dash docker eval exec gcc java ksh make node nohup perl php
    python python2 python3 ruby sh source tcc zsh powershell cmd insmod.static`,
  // T1003, T1552
  credential_access: 'hydra john medusa mimipenguin unshadow',
  // T1105, T1071
  command_and_control: `aria2c curl fetch ftp ftpget lwp-download lynx nc ncat netcat slaveof
    replicaof socat tftp wget`,
  // T1021
  lateral_movement: 'rsh rsync scp sftp smbclient ssh sshpass telnet',
  // T1090
  pivoting: 'chisel proxychains proxychains4 sshuttle',
  // T1560, T1005
  collection: '7z bzip2 gzip mysqldump pg_dump tar xz zip',
  // T1489, T1529, T1485, T1496
  impact: `cpuminer halt kill killall minerd mkfs pkill poweroff reboot shutdown wipefs xmrig`,
}

const BY_WORD: ReadonlyMap<string, Phase> = new Map(
  Object.entries(CALLED).flatMap(([phase, text]) =>
    words(text).map((word) => [word, phase as Phase] as const),
  ),
)

/** What the words as a whole give away, whatever is called; the first that fits decides. */
const BY_ARGUMENTS: readonly (readonly [sign: RegExp, phase: Phase])[] = [
  [
    /authorized_keys|\/etc\/(?:cron|rc\.|init\.d|systemd)|\/var\/spool\/cron|\.bashrc|\.bash_profile/,
    'persistence',
  ],
  [
    /\/etc\/(?:shadow|gshadow|passwd|sudoers)|\.ssh\/id_|\.aws\/credentials|\.bash_history|\.pgpass/,
    'credential_access',
  ],
  [/\bstratum\+(?:tcp|ssl):/, 'impact'],
  [/\bHISTFILE\b|\bHISTSIZE\b|\/var\/log\//, 'defense_evasion'],
  [/\/dev\/tcp\//, 'command_and_control'],
]

/** Per word that is called: arguments that make it something else. */
const BY_WORD_AND_ARGUMENTS: Readonly<Record<string, readonly (readonly [RegExp, Phase])[]>> = {
  chmod: [[/ (?:[ug]*\+s|[42][0-7]{3})\b/, 'privilege_escalation']],
  curl: [[/ (?:-T|--upload-file|-F|--form|--data-binary|-d) /, 'exfiltration']],
  wget: [[/ --post-(?:file|data)/, 'exfiltration']],
  systemctl: [
    [/ enable/, 'persistence'],
    [/ (?:stop|disable|mask)/, 'defense_evasion'],
    [/ /, 'discovery'],
  ],
  service: [[/ stop/, 'defense_evasion']],
  ssh: [[/ -[DLR]\b/, 'pivoting']],
  touch: [[/ -[rt]\b/, 'defense_evasion']],
  rm: [[/ -\w*r\w* (?:\/|\/\*) $/, 'impact']],
  config: [[/ get/i, 'discovery']],
}

/** Words that only say how to call the next one. */
const WRAPPERS = new Set(
  words('busybox nohup exec env command time setsid stdbuf nice xargs then do else {'),
)
const MOST_WRAPPERS = 4

/** A simple command without what is put in front of it. */
export interface Called {
  /** the last part of its path, lower case */
  readonly name: string
  readonly args: readonly string[]
  /** as it was called, with its path */
  readonly path: string
}

/** @returns what a simple command calls; undefined where nothing is left */
export function calledBy(command: readonly string[]): Called | undefined {
  let at = 0
  for (let wrapped = 0; at < command.length; at++) {
    const word = command[at] as string
    if (/^\w+=/.test(word)) continue
    const isLast = at === command.length - 1
    if (isLast || wrapped === MOST_WRAPPERS || !WRAPPERS.has(baseName(word))) break
    wrapped += 1
  }
  const path = command[at]
  if (path === undefined) return undefined
  return { name: baseName(path), path, args: command.slice(at + 1) }
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1).toLowerCase()

/** @returns undefined for what says nothing of what it is for */
export function commandPhase(command: readonly string[]): Phase | undefined {
  const called = calledBy(command)
  const text = command.join(' ')
  for (const [sign, phase] of BY_ARGUMENTS) if (sign.test(text)) return phase
  if (!called) return undefined
  const { name, path, args } = called
  const rest = ` ${args.join(' ')} `
  const own = Object.hasOwn(BY_WORD_AND_ARGUMENTS, name) ? BY_WORD_AND_ARGUMENTS[name] : undefined
  for (const [sign, phase] of own ?? []) if (sign.test(rest)) return phase
  const known = BY_WORD.get(name)
  if (known !== undefined) return known
  // What he has brought along is called by its place; the tools of the system are found without one.
  return /^(?:\.{1,2}\/|\/(?:tmp|var|dev|root|home|mnt|run)\/)/.test(path) ? 'execution' : undefined
}
