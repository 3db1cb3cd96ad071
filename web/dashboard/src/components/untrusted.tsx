/** Text that an attacker may have written: shown as text, with what hides in it made visible. */
import { useState } from 'react'
import { grouped } from '../format/number.ts'
import { cut, pieces, visible } from '../format/visible.ts'

interface UntrustedProps {
  readonly text: string
  /** code points that are shown; a longer text is cut, and the title has more of it */
  readonly most?: number
}

/** Titles are for a look; a browser shows no more anyway. */
const TITLE = 1000

/** One line, isolated from the direction of what stands around it. */
export function Untrusted({ text, most = 512 }: UntrustedProps) {
  const shown = cut(text, most)
  const isCut = shown !== text
  return (
    <bdi className="untrusted" title={visible(cut(text, TITLE))}>
      <Pieces text={shown} />
      {isCut && '…'}
    </bdi>
  )
}

/** Several lines, of which a long text shows the rest when it is asked to. */
export function UntrustedBlock({ text, most = 600 }: UntrustedProps) {
  const [open, setOpen] = useState(false)
  const shown = open ? text : cut(text, most)
  const isLong = cut(text, most) !== text
  return (
    <div className="untrusted-block">
      <code>
        <bdi>
          <Pieces text={shown} />
          {isLong && !open && '…'}
        </bdi>
      </code>
      {isLong && (
        <button type="button" className="link-button" onClick={() => setOpen(!open)}>
          {open ? 'Show less' : `Show all ${grouped(text.length)} characters`}
        </button>
      )}
    </div>
  )
}

function Pieces({ text }: { text: string }) {
  return pieces(text).map((piece, index) =>
    piece.escaped ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text have no other name
      <span key={index} className="escape">
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  )
}
