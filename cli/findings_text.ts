/** What the database says was found, as tables for a terminal. */

import type { ResourceUse } from '../engine/context.ts'
import { database } from '../store/database.ts'
import { type Findings, findings } from '../store/findings.ts'
import { outsideText } from './outside_text.ts'
import { grouped, textTable } from './text_table.ts'

/** Rows of each table; together they fit a screen. */
const TOP = 8

/** @param use gives the database that was written to */
export async function findingsText(use: ResourceUse): Promise<string> {
  return renderFindings(await findings(await use(database), TOP))
}

/** Every name in it comes from an attacker and is escaped. */
export function renderFindings(found: Findings): string {
  const { attackers, deckies, services, credentials, identities } = found
  const parts = [totalsText(found.totals)]
  if (attackers.length > 0) {
    const rows = attackers.map((one) => [one.name, one.events, one.deckies, one.services])
    parts.push(table(['ATTACKER', 'EVENTS', 'DECKIES', 'SERVICES'], rows))
  }
  if (credentials.length > 0) {
    const rows = credentials.map((one) => {
      const { principal, secret, kind, attempts, attackers, targets } = one
      return [principal, secret, kind, attempts, attackers, targets]
    })
    const header = ['PRINCIPAL', 'SECRET', 'KIND', 'ATTEMPTS', 'ATTACKERS', 'TARGETS']
    parts.push(table(header, rows))
  }
  if (identities.length > 0) {
    const rows = identities.map((one) => [one.uuid, one.addresses, one.campaign])
    parts.push(table(['IDENTITY', 'ADDRESSES', 'IDENTITIES IN ITS CAMPAIGN'], rows))
  }
  if (deckies.length > 0) {
    const count = (one: { name: string; events: number }) => [one.name, one.events]
    parts.push(
      beside(
        table(['DECKY', 'EVENTS'], deckies.map(count)),
        table(['SERVICE', 'EVENTS'], services.map(count)),
      ),
    )
  }
  return `\nWhat was found\n${parts.join('\n')}`
}

function totalsText(totals: Findings['totals']): string {
  const { firstSeen, lastSeen } = totals
  const counts = [
    ['events', totals.events],
    ['attackers', totals.attackers],
    ['deckies', totals.deckies],
    ['services', totals.services],
    ['credentials', totals.credentials],
    ['login attempts', totals.attempts],
    ['bounties', totals.bounties],
    ['reused secrets', totals.reused],
    ['identities', totals.identities],
    ['campaigns', totals.campaigns],
  ] as const
  const lines = counts.map(([name, count]) => [name, grouped(count)])
  const span =
    firstSeen === undefined || lastSeen === undefined
      ? ''
      : `  from ${instant(firstSeen)} to ${instant(lastSeen)} UTC\n`
  return span + textTable(lines, { align: ['left', 'right'], indent: '  ' })
}

const instant = (time: number): string =>
  new Date(time).toISOString().slice(0, 19).replace('T', ' ')

type Cell = string | number | null

function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const align = (rows[0] ?? []).map((cell) => (typeof cell === 'number' ? 'right' : 'left'))
  return textTable([header, ...rows.map((row) => row.map(shown))], { align, indent: '  ' })
}

/** Two tables next to each other, to save lines. */
function beside(left: string, right: string): string {
  const [one, other] = [left.trimEnd().split('\n'), right.trimEnd().split('\n')]
  const width = Math.max(...one.map((line) => line.length))
  const height = Math.max(one.length, other.length)
  const lines = Array.from({ length: height }, (_, row) =>
    `${(one[row] ?? '').padEnd(width)}  ${other[row] ?? ''}`.trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function shown(cell: Cell): string {
  if (cell === null) return '-'
  return typeof cell === 'number' ? grouped(cell) : outsideText(cell)
}
