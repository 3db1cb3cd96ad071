/** Lines as deckies send them: RFC 5424 with two structured data elements, all different. */

const USERS = ['root', 'admin', 'oracle', 'postgres', 'ubuntu', 'git', 'pi', 'test']
const SERVICES = ['ssh', 'telnet', 'ftp', 'redis', 'mysql']

/** @returns line `index`, without a line end; its time is a millisecond after the line before */
export function syslogLine(index: number): string {
  const time = new Date(1_772_355_600_000 + index).toISOString()
  const host = `web-${String(index % 16).padStart(2, '0')}`
  const service = SERVICES[index % SERVICES.length]
  const address = `198.51.${100 + (index % 7)}.${index % 251}`
  const user = USERS[index % USERS.length]
  const secret = `pass${index.toString(36)}`
  const secretB64 = Buffer.from(secret).toString('base64')
  return (
    `<134>1 ${time} ${host} ${service} ${1000 + (index % 30_000)} login_attempt ` +
    `[relay@55555 src_ip="${address}" src_port="${1024 + (index % 60_000)}" username="${user}" ` +
    `secret_printable="${secret}" secret_b64="${secretB64}" outcome="failure"]` +
    `[meta sequenceId="${index}"] Failed password for ${user} from ${address}`
  )
}

/** @returns `count` lines, each with its line end */
export function syslogText(count: number): string {
  const lines: string[] = []
  for (let index = 0; index < count; index++) lines.push(syslogLine(index))
  return `${lines.join('\n')}\n`
}
