/** Keeps a fault of one page from taking the others along. */
import { Component, type ReactNode } from 'react'
import { Failure } from './state.tsx'

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown) {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return <Failure error={error} retry={() => this.setState({ error: undefined })} />
  }
}
