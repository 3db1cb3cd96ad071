/** What an attacker talked to, where its parts report under names of their own. */

/** Emitters inside an SSH decoy. */
const SHELL_EMITTERS = new Set(['auth-helper', 'sessrec', 'bash', 'sshd'])

/** @returns the service itself, and of an emitter inside an SSH decoy `ssh` or `telnet` */
export function realService(service: string, fields: Readonly<Record<string, unknown>>): string {
  if (!SHELL_EMITTERS.has(service)) return service
  return Object.hasOwn(fields, 'service') && fields.service === 'telnet' ? 'telnet' : 'ssh'
}
