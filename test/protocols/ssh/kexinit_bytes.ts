/** SSH packets in bytes, for tests. RFC 4253 section 6 */

const counted = (text: string): Buffer => {
  const list = Buffer.from(text, 'latin1')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(list.length)
  return Buffer.concat([length, list])
}

export function packet(payload: Uint8Array, padding = 4): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(1 + payload.length + padding)
  head[4] = padding
  return Buffer.concat([head, payload, Buffer.alloc(padding, 0xee)])
}

/** The payload of a KEXINIT with the given name-lists, ten of them where nothing is to be wrong. */
export const kexInit = (lists: readonly string[]): Buffer =>
  Buffer.concat([
    Buffer.from([20]),
    Buffer.alloc(16, 0xcc),
    ...lists.map(counted),
    Buffer.from([0, 0, 0, 0, 0]),
  ])

export const TEN_LISTS = ['kex,k2', 'key', 'ec', 'es', 'mc', 'ms', 'cc', 'cs', '', '']
