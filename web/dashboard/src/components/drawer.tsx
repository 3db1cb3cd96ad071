/** Something over the page, by the browser's own dialog: it keeps the focus, and Escape closes it. */
import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'

interface DrawerProps {
  readonly title: ReactNode
  readonly close: () => void
  readonly children: ReactNode
  readonly kind?: 'drawer' | 'dialog'
}

/** Open while it is there. */
export function Drawer({ title, close, children, kind = 'drawer' }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = dialog
    const before = document.activeElement
    if (current && !current.open) current.showModal()
    return () => {
      current?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same, by the browser
    <dialog
      ref={dialog}
      className={kind}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close()
      }}
    >
      <div className="drawer-inside">
        <header className="drawer-head">
          <h2 id={id}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={close}>
            <X size={18} aria-hidden />
          </button>
        </header>
        <div className="drawer-body">{children}</div>
      </div>
    </dialog>
  )
}
