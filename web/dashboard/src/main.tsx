import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/components.css'
import './styles/pages.css'
import './styles/replay.css'

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no place to draw in')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
