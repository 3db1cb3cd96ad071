/** Every page and its path. A page is loaded when it is first gone to. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { BrowserRouter, matchPath, Navigate, Outlet, Route, Routes } from 'react-router'
import { mayPass } from '../api/client.ts'
import { ChangePasswordPage } from '../pages/change_password_page.tsx'
import { LoginPage } from '../pages/login_page.tsx'
import { NotFoundPage } from '../pages/not_found_page.tsx'
import { LoadedPage, PageCode } from './loaded_page.tsx'
import { LoggedIn } from './session.tsx'
import { Shell } from './shell.tsx'
import { Toasts } from './toasts.tsx'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) => failures < 2 && mayPass(error),
      refetchOnWindowFocus: true,
    },
  },
})

const PAGES: readonly (readonly [path: string, code: PageCode])[] = [
  ['/', new PageCode(async () => (await import('../pages/overview_page.tsx')).OverviewPage)],
  [
    '/pipelines',
    new PageCode(async () => (await import('../pages/pipelines_page.tsx')).PipelinesPage),
  ],
  ['/live-logs', new PageCode(async () => (await import('../pages/logs_page.tsx')).LogsPage)],
  [
    '/attackers',
    new PageCode(async () => (await import('../pages/attackers_page.tsx')).AttackersPage),
  ],
  [
    '/attackers/:uuid',
    new PageCode(async () => (await import('../pages/attacker_page.tsx')).AttackerPage),
  ],
  [
    '/identities',
    new PageCode(async () => (await import('../pages/identities_page.tsx')).IdentitiesPage),
  ],
  [
    '/identities/:uuid',
    new PageCode(async () => (await import('../pages/identity_page.tsx')).IdentityPage),
  ],
  [
    '/campaigns',
    new PageCode(async () => (await import('../pages/campaigns_page.tsx')).CampaignsPage),
  ],
  [
    '/campaigns/:uuid',
    new PageCode(async () => (await import('../pages/campaign_page.tsx')).CampaignPage),
  ],
  [
    '/credentials',
    new PageCode(async () => (await import('../pages/credentials_page.tsx')).CredentialsPage),
  ],
  [
    '/credentials/reuse',
    new PageCode(async () => (await import('../pages/reuse_page.tsx')).ReusePage),
  ],
  [
    '/orchestrator',
    new PageCode(async () => (await import('../pages/orchestrator_page.tsx')).OrchestratorPage),
  ],
  ['/users', new PageCode(async () => (await import('../pages/users_page.tsx')).UsersPage)],
  ['/replay', new PageCode(async () => (await import('../pages/replays_page.tsx')).ReplaysPage)],
  ['/replay/:id', new PageCode(async () => (await import('../pages/replay_page.tsx')).ReplayPage)],
  [
    '/replay/:id/diff/:other',
    new PageCode(async () => (await import('../pages/replay_diff_page.tsx')).ReplayDiffPage),
  ],
  ['/workers', new PageCode(async () => (await import('../pages/workers_page.tsx')).WorkersPage)],
  [
    '/webhooks',
    new PageCode(async () => (await import('../pages/webhooks_page.tsx')).WebhooksPage),
  ],
]

// While it is asked who this is.
for (const [path, code] of PAGES) if (matchPath(path, location.pathname)) code.preload()

export function App() {
  return (
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <Routes>
          <Route path="/login" element={<LoginPage />} />
          <Route path="/change-password" element={<ChangePasswordPage />} />
          <Route element={<Inside />}>
            {PAGES.map(([path, code]) => (
              <Route key={path} path={path} element={<LoadedPage code={code} />} />
            ))}
            <Route path="/config" element={<Navigate to="/workers" replace />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Routes>
      </BrowserRouter>
      <Toasts />
    </QueryClientProvider>
  )
}

function Inside() {
  return (
    <LoggedIn>
      <Shell>
        <Outlet />
      </Shell>
    </LoggedIn>
  )
}
