/** Reads queries anew when a stream says that they have changed, however fast it speaks. */
import { type QueryKey, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

/** Between two readings, ms: events come in bursts. */
const REST = 400

/** @returns asks for the queries whose keys begin so to be read anew, soon */
export function useRefetch(keys: readonly QueryKey[]): () => void {
  const client = useQueryClient()
  const latest = useRef(keys)
  latest.current = keys
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return () => {
    if (timer.current !== undefined) return
    timer.current = setTimeout(() => {
      timer.current = undefined
      for (const queryKey of latest.current) void client.invalidateQueries({ queryKey })
    }, REST)
  }
}
