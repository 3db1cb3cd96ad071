/** The 19 phases of the Unified Kill Chain, as they are written in events and corpora. */

export type Stage = 'in' | 'through' | 'out'

const STAGES = {
  reconnaissance: 'in',
  resource_development: 'in',
  weaponization: 'in',
  delivery: 'in',
  social_engineering: 'in',
  exploitation: 'in',
  persistence: 'in',
  defense_evasion: 'in',
  command_and_control: 'in',
  pivoting: 'through',
  discovery: 'through',
  privilege_escalation: 'through',
  execution: 'through',
  credential_access: 'through',
  lateral_movement: 'through',
  collection: 'out',
  exfiltration: 'out',
  impact: 'out',
  objectives: 'out',
} as const satisfies Record<string, Stage>

export type Phase = keyof typeof STAGES

/** In the order of the chain. */
export const PHASES = Object.keys(STAGES) as readonly Phase[]

/** What an attacker does before or outside a honeypot, where nobody sees it. */
const UNSEEN: ReadonlySet<string> = new Set<Phase>([
  'reconnaissance',
  'resource_development',
  'weaponization',
  'social_engineering',
])

export const isPhase = (text: string): text is Phase => Object.hasOwn(STAGES, text)
/** Whether a honeypot can see it. */
export const isObservable = (phase: Phase): boolean => !UNSEEN.has(phase)
export const stageOf = (phase: Phase): Stage => STAGES[phase]

/** One operator's last phase on a decky after which another may take it over. */
export const HANDS_OVER: ReadonlySet<string> = new Set<Phase>([
  'persistence',
  'command_and_control',
])
/** An operator's first phase on a decky that somebody else has opened for him. */
export const TAKES_OVER: ReadonlySet<string> = new Set<Phase>(['discovery', 'lateral_movement'])
