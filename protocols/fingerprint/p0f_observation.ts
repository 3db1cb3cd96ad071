/** What p0f sees of one SYN or SYN-ACK, and how it writes it down. */
import { initialTtl } from './initial_ttl.ts'
import { printLayout } from './p0f_layout.ts'
import { printQuirks, quirksOf } from './p0f_quirks.ts'
import { windowMultiple } from './p0f_window.ts'
import { type SynFeatures, TCP_FLAG } from './syn_features.ts'

/** The farthest a sender is taken to be; beyond, p0f takes its TTL for made up. */
export const LONGEST_DISTANCE = 35

/** What p0f compares of one packet. */
export interface P0fObservation {
  readonly ipVersion: 4 | 6
  readonly ttl: number
  readonly ipOptionsLength: number
  readonly mss: number
  readonly window: number
  /** see `windowMultiple` */
  readonly windowMultiple: number
  readonly scale: number
  /** as `printLayout` spells it */
  readonly layout: string
  readonly quirks: number
  readonly hasPayload: boolean
}

/** @param peerMss the MSS of the SYN that this SYN-ACK answers; 0 where it is not known */
export function observeSyn(syn: SynFeatures, peerMss = 0): P0fObservation {
  const { options } = syn
  const { mss } = options
  return {
    ipVersion: syn.ipVersion,
    ttl: syn.ttl,
    ipOptionsLength: syn.ipOptionsLength,
    mss,
    window: syn.window,
    windowMultiple: windowMultiple(syn.window, {
      ipVersion: syn.ipVersion,
      mss,
      headerLength: syn.headerLength,
      hasOwnTimestamp: options.ownTimestamp > 0,
      peerMss: (syn.flags & TCP_FLAG.ack) === 0 ? 0 : peerMss,
    }),
    scale: Math.max(0, options.windowScale),
    layout: printLayout(options.kinds, options.kindCount, options.eolPadding),
    quirks: quirksOf(syn),
    hasPayload: syn.payloadLength > 0,
  }
}

/** @returns e.g. `4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0`, p0f's `raw_sig` */
export function printObservation(seen: P0fObservation): string {
  const multiple = seen.windowMultiple
  const unit = multiple > 0 ? `mss*${multiple}` : `mtu*${-multiple}`
  return `${seen.ipVersion}:${seen.ttl}+${printDistance(seen.ttl)}:${seen.ipOptionsLength}:${
    seen.mss
  }:${multiple === 0 ? seen.window : unit},${seen.scale}:${seen.layout}:${printQuirks(
    seen.quirks,
  )}:${seen.hasPayload ? '+' : '0'}`
}

/** Hops from the nearest usual initial TTL, not clamped: 0 to 126. */
export const guessDistance = (ttl: number): number => initialTtl(ttl) - ttl

function printDistance(ttl: number): string {
  const distance = guessDistance(ttl)
  return distance > LONGEST_DISTANCE ? '?' : `${distance}`
}
