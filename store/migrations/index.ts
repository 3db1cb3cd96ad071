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
    name: 'm0006_clusters',
    load: async () => (await import('./m0006_clusters.ts')).Clusters,
  },
]
