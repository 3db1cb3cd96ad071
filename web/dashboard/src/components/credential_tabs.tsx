/** The two sides of credentials. */
import { NavLink } from 'react-router'

export function CredentialTabs() {
  return (
    <nav className="tabs" aria-label="Credentials">
      <NavLink to="/credentials" end>
        Attempts
      </NavLink>
      <NavLink to="/credentials/reuse">Reuse</NavLink>
    </nav>
  )
}
