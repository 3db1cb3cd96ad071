/** Lets packets that come one by one gather, so that they are handed on together. Not a component. */
import { pause } from '../../engine/index.ts'

/** Bytes of a piece that is long enough: what comes next is read at once. */
const LONG_PIECE = 16 * 1024
/** How long packets gather behind a short piece, ms: nobody sees it, and the sender's buffer holds it. */
const GATHER_FOR = 5

/**
 * The pieces of a stream, behind each short one a pause. A batch costs as much as some ten packets,
 * however few it has: one for each packet is most of what a live run takes. The first packet after a
 * silence is handed on at once; what follows it comes as one piece. Meanwhile the stream reads ahead.
 * @param isOver whether nothing is to be waited for any more
 */
export async function* gathered(
  bytes: AsyncIterable<Buffer>,
  isOver: () => boolean,
): AsyncGenerator<Buffer, void> {
  for await (const piece of bytes) {
    yield piece
    if (piece.length < LONG_PIECE && !isOver()) await pause(GATHER_FOR)
  }
}
