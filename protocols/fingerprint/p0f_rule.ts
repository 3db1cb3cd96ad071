/** One signature of a database with its label, ready to be compared with packets. */
import { quote } from '../quote.ts'
import { P0fError } from './p0f_error.ts'
import { QUIRK } from './p0f_quirks.ts'
import type { P0fSignature } from './p0f_signature.ts'

/** A `label` line and what goes with it. */
export interface P0fLabel {
  /** `g`: a last resort; `s`: tried first */
  readonly generic: boolean
  /** class `!`: a program with a stack of its own, such as a scanner */
  readonly userland: boolean
  /** e.g. `unix` */
  readonly osClass: string
  /** as p0f prints it, name and flavour: `Windows 7 or 8` */
  readonly text: string
}

/** A `sig` line of a TCP section, ready to be compared; -1 stands for `*`. */
export interface P0fRule {
  readonly label: P0fLabel
  readonly signature: P0fSignature
  /** 1-based, in the file */
  readonly line: number
  /** 0 for any */
  readonly ipVersion: number
  /** what is asked of an IPv4 and of an IPv6 packet, as `*` signatures are written for IPv4 */
  readonly quirksV4: number
  readonly quirksV6: number
  /** the initial one */
  readonly ttl: number
  readonly randomTtl: boolean
  readonly mss: number
  readonly scale: number
  /** 0 none, 1 some */
  readonly payload: number
}

/** What must be equal for a rule to be looked at: option layout, padding behind `eol`, IP options. */
export const layoutKey = (ipOptionsLength: number, layout: string): string =>
  ipOptionsLength === 0 ? layout : `${ipOptionsLength}:${layout}`

/**
 * Reads what stands behind `label =` in a TCP section.
 * @throws {P0fError} `P0F_LABEL` unless it is `type:class:name:flavour`
 */
export function parseLabel(text: string): P0fLabel {
  const [, type, osClass = '', name = '', flavour = ''] = LABEL.exec(text) ?? []
  if (!type) {
    throw new P0fError('P0F_LABEL', `label ${quote(text)} is not [sg]:class:name:flavour`)
  }
  return {
    generic: type === 'g',
    userland: osClass === '!',
    osClass,
    text: flavour === '' ? name : `${name} ${flavour}`,
  }
}

const LABEL = /^([sg]):(!|\w{1,64}):([^:]{1,128}):(.{0,128})$/

/** @throws {P0fError} `P0F_SIGNATURE` if the TTL does not tell where a packet started */
export function ruleOf(signature: P0fSignature, label: P0fLabel, line: number): P0fRule {
  const { ipVersion, ttl, ttlForm, distance, quirks } = signature
  if (ttlForm === 'observed' && distance === undefined) {
    throw new P0fError('P0F_SIGNATURE', `TTL ${ttl}+? does not tell where it started`)
  }
  if (ttl + (distance ?? 0) === 0) throw new P0fError('P0F_SIGNATURE', 'TTL 0')
  return {
    label,
    signature,
    line,
    ipVersion: ipVersion ?? 0,
    quirksV4: ipVersion === undefined ? quirks & ~QUIRK.flowLabel : quirks,
    quirksV6:
      ipVersion === undefined ? quirks & ~(QUIRK.df | QUIRK.nonZeroId | QUIRK.zeroId) : quirks,
    ttl: ttl + (distance ?? 0),
    randomTtl: ttlForm === 'random',
    mss: signature.mss ?? -1,
    scale: signature.scale ?? -1,
    payload: PAYLOAD[signature.payload],
  }
}

const PAYLOAD = { '0': 0, '+': 1, '*': -1 } as const
