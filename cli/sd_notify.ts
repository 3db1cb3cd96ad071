/** Tells systemd about this process: the notification protocol of `Type=notify` units. */
import { spawn } from 'node:child_process'

export interface Notifier {
  /** Sends assignments, each one line of printable text, e.g. `READY=1`. Never waits, never throws. */
  send(...assignments: readonly string[]): void
  /** Lets what was sent arrive, and ends the helper. */
  close(): Promise<void>
}

/**
 * Node cannot open datagram sockets of the unix family, so a shell that was started once hands each
 * line on to systemd's own `systemd-notify`. A constant text: no value is ever part of it.
 */
const HELPER = 'while IFS= read -r line; do systemd-notify "$line"; done'

/** Lines that may wait for a systemd that does not take them; whatever comes then is dropped. */
const MOST_WAITING_BYTES = 4096

/** Time for the last lines to arrive, ms. */
const LAST_LINES_MS = 2000

/**
 * @param env `NOTIFY_SOCKET` as systemd sets it
 * @param onTrouble told once when systemd cannot be reached
 * @returns undefined where nobody listens
 * @see sd_notify(3), systemd-notify(1)
 */
export function openNotifier(
  env: Readonly<Record<string, string | undefined>>,
  onTrouble: (reason: string) => void,
): Notifier | undefined {
  if (!env.NOTIFY_SOCKET) return undefined
  const helper = spawn('/bin/sh', ['-c', HELPER], { env, stdio: ['pipe', 'ignore', 'ignore'] })
  let told = false
  const trouble = (reason: string) => {
    if (!told) onTrouble(reason)
    told = true
  }
  const ended = new Promise<void>((resolve) => {
    helper.once('error', ({ message }) => {
      trouble(message)
      resolve()
    })
    helper.once('exit', (code) => {
      if (code !== 0) trouble(`systemd-notify ended with ${code ?? 'a signal'}`)
      resolve()
    })
  })
  helper.stdin.on('error', ({ message }) => trouble(message))
  // It must not keep a process alive that has nothing else to do.
  helper.unref()
  return {
    send(...assignments) {
      if (helper.stdin.writableLength > MOST_WAITING_BYTES) return
      const lines = assignments.map((line) => `${line.replace(/[^\x20-\x7e]/g, '?')}\n`)
      helper.stdin.write(lines.join(''))
    },
    async close() {
      helper.stdin.end()
      const timer = setTimeout(() => helper.kill('SIGKILL'), LAST_LINES_MS)
      await ended
      clearTimeout(timer)
    },
  }
}
