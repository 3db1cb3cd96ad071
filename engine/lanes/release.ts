/** Buffers that go from thread to thread. */

/**
 * Gives memory back that nobody needs any more. Left to the collector, buffers look like memory that
 * runs short, and it would mark the whole heap again and again.
 */
export function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  buffer.transfer(0)
}
