import { testDatabases } from '../services/databases.ts'
import { testPages } from '../web/dashboard/pages.ts'

for (const [name, databases] of testDatabases) if (name === 'MariaDB') testPages(name, databases)
