/** What is around every page: the way to the others, and the choices of the reader. */
import { useQueryClient } from '@tanstack/react-query'
import {
  Activity,
  Clock3,
  Drama,
  Fingerprint,
  History,
  KeyRound,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  Network,
  ScrollText,
  Server,
  Sun,
  Swords,
  UserSearch,
  Users,
  Webhook,
  Workflow,
} from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { NavLink, useLocation, useNavigate } from 'react-router'
import { ask } from '../api/client.ts'
import { setToken } from '../api/session.ts'
import { ErrorBoundary } from '../components/error_boundary.tsx'
import { chooseTheme, chooseTimes, type Theme, useTheme, useTimes } from './remembered.ts'
import { useMe } from './session.tsx'

interface Place {
  readonly to: string
  readonly name: string
  readonly icon: LucideIcon
  readonly forAdmins?: boolean
}

const PLACES: readonly (readonly [group: string, places: readonly Place[]])[] = [
  [
    'Watch',
    [
      { to: '/', name: 'Overview', icon: Activity },
      { to: '/pipelines', name: 'Pipelines', icon: Workflow },
      { to: '/live-logs', name: 'Logs', icon: ScrollText },
    ],
  ],
  [
    'Investigate',
    [
      { to: '/attackers', name: 'Attackers', icon: UserSearch },
      { to: '/identities', name: 'Identities', icon: Fingerprint },
      { to: '/campaigns', name: 'Campaigns', icon: Swords },
      { to: '/credentials', name: 'Credentials', icon: KeyRound },
      { to: '/replay', name: 'Replay', icon: History },
    ],
  ],
  [
    'Operate',
    [
      { to: '/workers', name: 'Workers', icon: Server },
      { to: '/orchestrator', name: 'Orchestrator', icon: Drama },
      { to: '/webhooks', name: 'Webhooks', icon: Webhook, forAdmins: true },
      { to: '/users', name: 'Users', icon: Users, forAdmins: true },
    ],
  ],
]

export function Shell({ children }: { children: ReactNode }) {
  const { pathname } = useLocation()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page is what it waits for
  useEffect(() => {
    // Those who cannot see that the page has changed hear it.
    if (!first.current) main.current?.focus({ preventScroll: true })
    first.current = false
    window.scrollTo(0, 0)
  }, [pathname])
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <SideBar />
      <main id="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={pathname}>{children}</ErrorBoundary>
      </main>
    </div>
  )
}

function SideBar() {
  const me = useMe()
  return (
    <header className="side">
      <NavLink to="/" className="brand" aria-label="DECNET, overview">
        <Network size={20} aria-hidden />
        <span>DECNET</span>
      </NavLink>
      <nav aria-label="Main">
        {PLACES.map(([group, places]) => (
          <div key={group} className="side-group">
            <p aria-hidden>{group}</p>
            <ul aria-label={group}>
              {places
                .filter(({ forAdmins }) => !forAdmins || me.role === 'admin')
                .map(({ to, name, icon: Icon }) => (
                  <li key={to}>
                    <NavLink to={to} end={to === '/'} title={name}>
                      <Icon size={16} aria-hidden />
                      <span>{name}</span>
                    </NavLink>
                  </li>
                ))}
            </ul>
          </div>
        ))}
      </nav>
      <Foot />
    </header>
  )
}

const THEMES: Readonly<Record<Theme, readonly [next: Theme, icon: LucideIcon]>> = {
  system: ['light', Monitor],
  light: ['dark', Sun],
  dark: ['system', Moon],
}

function Foot() {
  const me = useMe()
  const theme = useTheme()
  const times = useTimes()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [next, Icon] = THEMES[theme]
  const otherTimes = times === 'relative' ? 'absolute' : 'relative'
  const logOut = async () => {
    // The token is forgotten here whatever the server makes of it.
    await ask('/auth/logout', { method: 'POST' }).catch((error: unknown) => console.warn(error))
    setToken(undefined)
    client.clear()
    navigate('/login')
  }
  return (
    <div className="side-foot">
      <div className="side-buttons">
        <button
          type="button"
          className="icon-button"
          aria-label={`Theme: ${theme}. Switch to ${next}`}
          title={`Theme: ${theme}`}
          onClick={() => chooseTheme(next)}
        >
          <Icon size={16} aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={`Times are ${times}. Switch to ${otherTimes}`}
          title={`Times: ${times}`}
          aria-pressed={times === 'absolute'}
          onClick={() => chooseTimes(otherTimes)}
        >
          <Clock3 size={16} aria-hidden />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="Log out"
          title="Log out"
          onClick={() => void logOut()}
        >
          <LogOut size={16} aria-hidden />
        </button>
      </div>
      <NavLink to="/change-password" className="side-user" title="Change your password">
        <bdi>{me.username}</bdi> <span className="faint">{me.role}</span>
      </NavLink>
    </div>
  )
}
