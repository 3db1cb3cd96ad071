/** Hashes, uuids and the like: short on the page, whole in the clipboard. */
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { toast } from '../app/toasts.tsx'
import { visible } from '../format/visible.ts'

const SAID = 1500

/** @param name of what is copied, e.g. `JA3` */
export function CopyButton({ text, name }: { text: string; name: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return undefined
    const timer = setTimeout(() => setDone(false), SAID)
    return () => clearTimeout(timer)
  }, [done])
  return (
    <button
      type="button"
      className="icon-button copy-button"
      aria-label={`Copy ${name}`}
      title={`Copy ${name}`}
      onClick={async (event) => {
        event.stopPropagation()
        const copied = await copyText(text)
        setDone(copied)
        toast(copied ? `Copied ${name}` : `This browser does not let ${name} be copied`)
      }}
    >
      {done ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
    </button>
  )
}

/** The clipboard is there on secure pages alone; a host on the LAN without TLS has the old way. */
async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard !== undefined) {
      await navigator.clipboard.writeText(text)
      return true
    }
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
  }
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'visually-hidden'
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  return copied
}

interface HashProps {
  readonly text: string
  readonly name: string
  /** characters that are shown */
  readonly most?: number
  readonly to?: string
  readonly copy?: boolean
}

/** The beginning of a hash or a uuid, with a button that copies the whole. */
export function Hash({ text, name, most = 8, to, copy = true }: HashProps) {
  const shown = visible(text.length > most + 1 ? `${text.slice(0, most)}…` : text)
  const label = <code title={visible(text)}>{shown}</code>
  return (
    <span className="hash">
      {to === undefined ? label : <Link to={to}>{label}</Link>}
      {copy && <CopyButton text={text} name={name} />}
    </span>
  )
}
