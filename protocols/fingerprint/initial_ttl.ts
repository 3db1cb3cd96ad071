/** How far a packet has come, told from the TTL it arrived with. */

/** Stacks start at one of 32, 64, 128 and 255: the smallest that the packet can have started at. */
export function initialTtl(ttl: number): 32 | 64 | 128 | 255 {
  if (ttl <= 32) return 32
  if (ttl <= 64) return 64
  return ttl <= 128 ? 128 : 255
}

/** Routers between us and the sender, 0 to 64: more than that is a made-up TTL, not a route. */
export function hopDistance(ttl: number): number {
  return Math.max(0, Math.min(initialTtl(ttl) - ttl, LONGEST_ROUTE))
}

const LONGEST_ROUTE = 64
