/** Reads the description of a corpus: actors, what they do and when. */
import { isObservable, isPhase, type Phase } from '../../protocols/clustering/ukc_phase.ts'

export interface ActorSpec {
  readonly id: string
  readonly asn: number
  readonly rotating: boolean
  readonly rotation_count: number
  readonly rotation_asns: readonly number[]
  readonly ja3: string | null
  readonly hassh: string | null
  readonly hours_active_utc: readonly number[]
  readonly jitter_seconds: number
  readonly active_days: readonly number[] | undefined
}

export interface PhaseSpec {
  readonly name: Phase
  readonly actor: string
  readonly count: number
  /** the actor whose last success says which decky; undefined: any */
  readonly successOf: string | undefined
  readonly dwell_seconds: number
  readonly commands: readonly string[] | undefined
  readonly credentials: readonly (readonly [string, string])[]
  readonly payload: string | undefined
  readonly c2_callback: string | null
}

export interface CampaignSpec {
  readonly id: string
  readonly actors: readonly ActorSpec[]
  readonly phases: readonly PhaseSpec[]
  readonly duration_days: number
  readonly pause_windows: readonly (readonly [number, number])[]
}

export interface CorpusSpec {
  readonly campaigns: readonly CampaignSpec[]
  readonly scanner_count: number
  /** what is legal and does nothing */
  readonly warnings: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

/**
 * @param document a parsed YAML file of the form `campaign:` or `corpus:`
 * @param path named in errors
 * @throws {Error} saying what is wrong, and where
 */
export function readSpec(document: unknown, path = 'document'): CorpusSpec {
  const top = fields(document, path)
  const warnings: string[] = []
  if ('campaign' in top) {
    return { campaigns: [readCampaign(top, path, warnings)], scanner_count: 0, warnings }
  }
  if (!('corpus' in top)) throw new Error(`${path}: no campaign and no corpus`)
  const corpus = fields(top.corpus, `${path}: corpus`)
  const campaigns = list(corpus.campaigns).map((each, index) =>
    readCampaign(fields(each, `${path}: campaign ${index}`), path, warnings),
  )
  const noise = corpus.noise === undefined ? {} : fields(corpus.noise, `${path}: noise`)
  return { campaigns, scanner_count: number(noise.scanner_count, 0), warnings }
}

function readCampaign(parent: Fields, path: string, warnings: string[]): CampaignSpec {
  if (!('campaign' in parent)) throw new Error(`${path}: no campaign`)
  const campaign = fields(parent.campaign, `${path}: campaign`)
  for (const key of ['id', 'actors', 'phases']) {
    if (!(key in campaign)) throw new Error(`${path}: campaign has no ${key}`)
  }
  const id = String(campaign.id)
  const actors = list(campaign.actors).map((actor) => readActor(fields(actor, `${path}: actor`)))
  if (actors.length === 0) throw new Error(`${path}: campaign ${id} needs at least one actor`)
  const phases = list(campaign.phases).map((phase, index) =>
    readPhase(fields(phase, `${path}: phase ${index}`), `${path}: phase ${index}`, actors),
  )
  for (const { name } of phases) {
    if (!isObservable(name)) warnings.push(`campaign ${id}: nobody sees phase ${name}`)
  }
  return {
    id,
    actors,
    phases,
    duration_days: number(campaign.duration_days, 1),
    pause_windows: list(campaign.pause_windows) as [number, number][],
  }
}

function readActor(actor: Fields): ActorSpec {
  const hours = list(actor.hours_active_utc) as number[]
  return {
    id: String(actor.id),
    asn: number(actor.asn, 0),
    rotating: actor.ip_pool === 'rotating',
    rotation_count: number(actor.rotation_count, 1),
    rotation_asns: list(actor.rotation_asns) as number[],
    ja3: (actor.ja3 as string | undefined) ?? null,
    hassh: (actor.hassh as string | undefined) ?? null,
    hours_active_utc: hours.length > 0 ? hours : Array.from({ length: 24 }, (_, hour) => hour),
    jitter_seconds: number(actor.jitter_seconds, 60),
    active_days:
      actor.active_days === undefined ? undefined : (list(actor.active_days) as number[]),
  }
}

function readPhase(phase: Fields, where: string, actors: readonly ActorSpec[]): PhaseSpec {
  const { name } = phase
  if (name === undefined) throw new Error(`${where} has no name`)
  if (typeof name !== 'string' || !isPhase(name)) {
    throw new Error(`${where}: unknown UKC phase ${String(name)}`)
  }
  if (phase.actor === undefined && actors.length > 1) throw new Error(`${where} names no actor`)
  const known = (id: unknown) => {
    if (actors.some((actor) => actor.id === id)) return id as string
    throw new Error(`${where}: unknown actor ${String(id)}`)
  }
  const actor = known(phase.actor ?? actors[0]?.id)
  const target = (phase.target_selector ?? {}) as Fields
  const tools = (phase.tool_signature ?? {}) as Fields
  const other = target.previous_success_of
  const own = target.decky === 'previous_success' ? actor : undefined
  return {
    name,
    actor,
    count: number(target.count, 1),
    successOf: other === undefined ? own : known(other),
    dwell_seconds: number(phase.dwell_seconds, 5),
    commands: tools.commands as string[] | undefined,
    credentials: (tools.credentials ?? []) as [string, string][],
    payload: tools.payload_hash as string | undefined,
    c2_callback: (tools.c2_callback as string | undefined) ?? null,
  }
}

function fields(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Error(`${where} is no mapping`)
}
const list = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : (value as unknown[])
const number = (value: unknown, otherwise: number): number =>
  value === undefined ? otherwise : Number(value)
