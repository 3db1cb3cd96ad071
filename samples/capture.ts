/** The sample capture: one night of a decoy network, the same on every machine. */
import { mysqlScanners, otherDatabases, redisScanners } from './attackers/databases.ts'
import { intruder } from './attackers/intruder.ts'
import { mailSpray, relayAbuser } from './attackers/mail.ts'
import { desktopNoise, udpNoise } from './attackers/noise.ts'
import { prober, sniffer } from './attackers/observers.ts'
import { credentialReuser } from './attackers/reuser.ts'
import { connectStorms, sshGuessers, telnetBots } from './attackers/ssh.ts'
import { forger, webScanners } from './attackers/web.ts'
import { housekeeping, startups } from './deckies.ts'
import { LogBook } from './log_book.ts'
import { malformedLines } from './malformed.ts'

/** Hours of event time the sample spans. */
const HOURS = 8

/** The lines of the sample, by time, without newlines. */
export function captureLines(): string[] {
  const log = new LogBook()
  startups(log)
  housekeeping(log, HOURS)
  for (const write of [
    sshGuessers,
    telnetBots,
    connectStorms,
    relayAbuser,
    mailSpray,
    mysqlScanners,
    redisScanners,
    otherDatabases,
    webScanners,
    forger,
    credentialReuser,
    intruder,
    udpNoise,
    desktopNoise,
    sniffer,
    prober,
    malformedLines,
  ]) {
    write(log)
  }
  return log.lines()
}
