// Whether the database is there, new enough, up to date, and nobody else's to read.
import { sql } from 'kysely'
import { checkVersion } from '#shared/journal/database.ts'
import { migrations } from '#shared/journal/migrations.ts'
import { type Finding, ok, warning, wrong } from '#sinks/finding.ts'
import type { OpsContext } from '../../context.ts'

const id = 'database'
const toolsDb = /^tools(\.db)?\.(svc|tools|labsdb)/

export async function checkDatabase({ database, config }: OpsContext): Promise<Finding[]> {
  const version = await checkVersion(database)
  const { host, hostname, pathname } = new URL(config.databaseUrl)
  const name = decodeURIComponent(pathname.slice(1))
  const findings: Finding[] = []
  if (name.endsWith('_p')) {
    const message = `the database is called ${name}: on ToolsDB, what ends in _p can be read by everybody there`
    findings.push((toolsDb.test(hostname) ? wrong : warning)(id, message, 'use one with another name: the journal holds whole deliveries'))
  }
  if (toolsDb.test(hostname) && !name.includes('__'))
    findings.push(wrong(id, `ToolsDB wants names such as <user>__gitlab_webhooks, not ${name}`, 'change the name in DATABASE_URL'))
  const pending = await pendingMigrations(database)
  if (pending.length > 0)
    findings.push(warning(id, `${pending.length} migrations have not been made: ${pending.join(', ')}`, 'start a worker, which makes them'))
  return findings.length > 0 ? findings : [ok(id, `${version} at ${host}, ${name} is up to date`)]
}

async function pendingMigrations(database: OpsContext['database']): Promise<string[]> {
  const { rows: tables } = await sql`show tables like 'migrations'`.execute(database)
  const { rows } = tables.length === 0 ? { rows: [] } : await sql<{ name: string }>`select name from migrations`.execute(database)
  const made = new Set(rows.map(({ name }) => name))
  return Object.keys(migrations).filter((name) => !made.has(name))
}
