/** Every migration, oldest first. One that has been released is never changed, only followed. */

export const migrations = [
  {
    name: 'm0001_first_tables',
    load: async () => (await import('./m0001_first_tables.ts')).FirstTables,
  },
  {
    name: 'm0002_traversals',
    load: async () => (await import('./m0002_traversals.ts')).Traversals,
  },
  {
    name: 'm0003_credential_reuse',
    load: async () => (await import('./m0003_credential_reuse.ts')).CredentialReuseTable,
  },
  {
    name: 'm0004_attackers',
    load: async () => (await import('./m0004_attackers.ts')).Attackers,
  },
  {
    name: 'm0005_credentials_unlinked',
    load: async () => (await import('./m0005_credentials_unlinked.ts')).CredentialsUnlinked,
  },
  {
    name: 'm0006_clusters',
    load: async () => (await import('./m0006_clusters.ts')).Clusters,
  },
  {
    name: 'm0007_evidence',
    load: async () => (await import('./m0007_evidence.ts')).EvidenceColumns,
  },
  {
    name: 'm0008_cluster_links',
    load: async () => (await import('./m0008_cluster_links.ts')).ClusterLinks,
  },
  {
    name: 'm0010_webhooks',
    load: async () => (await import('./m0010_webhooks.ts')).Webhooks,
  },
  {
    name: 'm0011_users',
    load: async () => (await import('./m0011_users.ts')).Users,
  },
  {
    name: 'm0012_cluster_counts',
    load: async () => (await import('./m0012_cluster_counts.ts')).ClusterCounts,
  },
  {
    name: 'm0013_orchestrator_events',
    load: async () => (await import('./m0013_orchestrator_events.ts')).OrchestratorEvents,
  },
  {
    name: 'm0014_ended_tokens',
    load: async () => (await import('./m0014_ended_tokens.ts')).EndedTokens,
  },
]
