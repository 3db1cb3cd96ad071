/** A filter that is typed: it takes hold a moment after the last key, or at once with Enter. */
import { Search } from 'lucide-react'
import { useEffect, useEffectEvent, useState } from 'react'

interface SearchFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly wide?: boolean
  readonly maxLength?: number
}

const AFTER = 300

export function SearchField(props: SearchFieldProps) {
  const { label, value, placeholder, wide = false, maxLength = 64 } = props
  const [text, setText] = useState(value)
  const [seen, setSeen] = useState(value)
  if (seen !== value) {
    // It was changed from elsewhere, by a link or by going back.
    setSeen(value)
    setText(value)
  }
  const change = useEffectEvent((next: string) => {
    setSeen(next)
    props.onChange(next)
  })
  useEffect(() => {
    if (text === value) return undefined
    const timer = setTimeout(() => change(text), AFTER)
    return () => clearTimeout(timer)
  }, [text, value])
  return (
    <label className={`search ${wide ? 'search-wide' : ''}`}>
      <span className="visually-hidden">{label}</span>
      <Search size={14} aria-hidden />
      <input
        type="search"
        value={text}
        maxLength={maxLength}
        placeholder={placeholder ?? label}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
          setSeen(text)
          props.onChange(text)
        }}
      />
    </label>
  )
}
