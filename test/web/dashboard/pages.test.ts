import { testDatabases } from '../../services/databases.ts'
import { testPages } from './pages.ts'

// Those on MariaDB are among the long tests: the pages are the same.
for (const [name, databases] of testDatabases) if (name === 'SQLite') testPages(name, databases)
