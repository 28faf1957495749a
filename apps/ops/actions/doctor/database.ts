// Whether the database is there, new enough, up to date, and nobody else's to read.
import { sql } from 'kysely'
import { checkVersion, DatabaseAway, meaningOf } from '#shared/journal/database.ts'
import { writeMark } from '#shared/journal/marks.ts'
import { migrations } from '#shared/journal/migrations.ts'
import { inWords } from '#shared/process/errors.ts'
import { type Finding, ok, warning, wrong } from '#sinks/finding.ts'
import type { OpsContext } from '../../context.ts'

const id = 'database'
const toolsDb = /^tools(\.db)?\.(svc|tools|labsdb)/

export async function checkDatabase({ database, config }: OpsContext): Promise<Finding[]> {
  const version = await checkVersion(database)
  const trouble = await unwritable(database)
  if (trouble) return [wrong(id, inWords(trouble), remedies[trouble.what])]
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

const remedies: Record<DatabaseAway['what'], string> = {
  'is away': 'start it, or put its address into DATABASE_URL',
  'has no room left': 'make room on its disk, such as by `purge binary logs before now()`; then bin/ops prune',
  'takes no writes': 'let DATABASE_URL lead to the one that takes them, or `set global read_only = 0`',
  'is too busy': 'see what it does: `show processlist`',
}

// Where the tables are not there yet a worker makes them.
async function unwritable(database: OpsContext['database']): Promise<DatabaseAway | undefined> {
  const error = await writeMark(database, 'health').then(() => undefined, meaningOf)
  return error instanceof DatabaseAway ? error : undefined
}

async function pendingMigrations(database: OpsContext['database']): Promise<string[]> {
  const { rows: tables } = await sql`show tables like 'migrations'`.execute(database)
  const { rows } = tables.length === 0 ? { rows: [] } : await sql<{ name: string }>`select name from migrations`.execute(database)
  const made = new Set(rows.map(({ name }) => name))
  return Object.keys(migrations).filter((name) => !made.has(name))
}
