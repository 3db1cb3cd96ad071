/** Every page and its path. A page is loaded when it is first gone to. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ComponentType, lazy } from 'react'
import { BrowserRouter, Navigate, Outlet, Route, Routes } from 'react-router'
import { mayPass } from '../api/client.ts'
import { ChangePasswordPage } from '../pages/change_password_page.tsx'
import { LoginPage } from '../pages/login_page.tsx'
import { NotFoundPage } from '../pages/not_found_page.tsx'
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

const page = (load: () => Promise<ComponentType>) => lazy(async () => ({ default: await load() }))

const OverviewPage = page(async () => (await import('../pages/overview_page.tsx')).OverviewPage)
const PipelinesPage = page(async () => (await import('../pages/pipelines_page.tsx')).PipelinesPage)
const LogsPage = page(async () => (await import('../pages/logs_page.tsx')).LogsPage)
const AttackersPage = page(async () => (await import('../pages/attackers_page.tsx')).AttackersPage)
const AttackerPage = page(async () => (await import('../pages/attacker_page.tsx')).AttackerPage)
const IdentitiesPage = page(
  async () => (await import('../pages/identities_page.tsx')).IdentitiesPage,
)
const IdentityPage = page(async () => (await import('../pages/identity_page.tsx')).IdentityPage)
const CampaignsPage = page(async () => (await import('../pages/campaigns_page.tsx')).CampaignsPage)
const CampaignPage = page(async () => (await import('../pages/campaign_page.tsx')).CampaignPage)
const CredentialsPage = page(
  async () => (await import('../pages/credentials_page.tsx')).CredentialsPage,
)
const ReusePage = page(async () => (await import('../pages/reuse_page.tsx')).ReusePage)
const WorkersPage = page(async () => (await import('../pages/workers_page.tsx')).WorkersPage)
const WebhooksPage = page(async () => (await import('../pages/webhooks_page.tsx')).WebhooksPage)

export function App() {
  return (
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <Routes>
          <Route path="/login" element={<LoginPage />} />
          <Route path="/change-password" element={<ChangePasswordPage />} />
          <Route element={<Inside />}>
            <Route path="/" element={<OverviewPage />} />
            <Route path="/pipelines" element={<PipelinesPage />} />
            <Route path="/live-logs" element={<LogsPage />} />
            <Route path="/attackers" element={<AttackersPage />} />
            <Route path="/attackers/:uuid" element={<AttackerPage />} />
            <Route path="/identities" element={<IdentitiesPage />} />
            <Route path="/identities/:uuid" element={<IdentityPage />} />
            <Route path="/campaigns" element={<CampaignsPage />} />
            <Route path="/campaigns/:uuid" element={<CampaignPage />} />
            <Route path="/credentials" element={<CredentialsPage />} />
            <Route path="/credentials/reuse" element={<ReusePage />} />
            <Route path="/workers" element={<WorkersPage />} />
            <Route path="/config" element={<Navigate to="/workers" replace />} />
            <Route path="/webhooks" element={<WebhooksPage />} />
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
