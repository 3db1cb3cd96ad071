/** Short notices, which are read out as well as shown. */
import { X } from 'lucide-react'
import { useSyncExternalStore } from 'react'

interface Toast {
  readonly id: number
  readonly kind: 'info' | 'good' | 'bad'
  readonly text: string
}

/** Shown at once; an older one gives way. */
const MOST = 4
const LASTS = 6000

let toasts: readonly Toast[] = []
let made = 0
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

const drop = (id: number): void => set(toasts.filter((toast) => toast.id !== id))

/** Errors stay until they are closed. */
export function toast(text: string, kind: Toast['kind'] = 'info'): void {
  made += 1
  const id = made
  set([...toasts.slice(-(MOST - 1)), { id, kind, text }])
  if (kind !== 'bad') setTimeout(() => drop(id), LASTS)
}

const listen = (listener: () => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function Toasts() {
  const shown = useSyncExternalStore(listen, () => toasts)
  return (
    <section className="toasts" aria-label="Notifications" aria-live="polite">
      {shown.map(({ id, kind, text }) => (
        <div key={id} className={`toast toast-${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
          <span>{text}</span>
          <button
            type="button"
            className="icon-button"
            aria-label="Close this notification"
            onClick={() => drop(id)}
          >
            <X size={14} aria-hidden />
          </button>
        </div>
      ))}
    </section>
  )
}
