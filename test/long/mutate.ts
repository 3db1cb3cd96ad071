/** Damages log lines in every way an attacker or a full disk might, the same way at every run. */

/** mulberry32: small, seeded, and good enough to choose bytes with. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Mutation = (line: Buffer, random: () => number) => Buffer

const at = (line: Buffer, random: () => number) => Math.floor(random() * (line.length + 1))

const insert = (line: Buffer, where: number, bytes: Buffer) =>
  Buffer.concat([line.subarray(0, where), bytes, line.subarray(where)])

const FORGED =
  '<134>1 2026-03-01T09:00:00.000000+00:00 payroll-db bash - - - CMD uid=0 user=root src=8.8.8.8 pwd=/ cmd=id'

/** None of them adds a bare newline: a newline ends a line, and a second line is a second event. */
const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'random bytes': (line, random) => {
    const copy = Buffer.from(line)
    for (let count = 0; count < 8 && copy.length > 0; count++) {
      const byte = Math.floor(random() * 256)
      copy[Math.floor(random() * copy.length)] = byte === 10 ? 11 : byte
    }
    return copy
  },
  truncation: (line, random) => line.subarray(0, at(line, random)),
  'huge structured data': (line, random) =>
    insert(line, at(line, random), Buffer.from(` k="${'v'.repeat(1000 + random() * 20_000)}"`)),
  'many parameters': (line, random) =>
    insert(line, at(line, random), Buffer.from(' a="b"'.repeat(random() * 3000))),
  'nested quotes': (line, random) =>
    insert(line, at(line, random), Buffer.from('"\\"'.repeat(1 + random() * 400))),
  NUL: (line, random) => insert(line, at(line, random), Buffer.alloc(1 + Math.floor(random() * 9))),
  'a lone surrogate': (line, random) =>
    insert(line, at(line, random), Buffer.from([0xed, 0xa0 + Math.floor(random() * 32), 0x80])),
  'a closing bracket and a forged line': (line, random) =>
    insert(line, at(line, random), Buffer.from(`"] ${FORGED} [relay@55555 x="`)),
  'an escaped newline and a forged line': (line, random) =>
    insert(line, at(line, random), Buffer.from(`\\n${FORGED}`)),
  'a carriage return': (line, random) => insert(line, at(line, random), Buffer.from('\r')),
}

export interface MutatedLine {
  readonly mutation: string
  readonly bytes: Buffer
}

/** @param lines what to damage, in turn */
export function mutatedLines(lines: readonly string[], count: number, seed: number): MutatedLine[] {
  const random = seededRandom(seed)
  const kinds = Object.entries(MUTATIONS)
  return Array.from({ length: count }, (_, index) => {
    const [mutation, mutate] = kinds[index % kinds.length] as [string, Mutation]
    const line = Buffer.from(lines[index % lines.length] as string)
    return { mutation, bytes: mutate(line, random) }
  })
}
