// How large the journal is, so that its disk can be watched before it is full.
import { sql } from 'kysely'
import { Gauge } from 'prom-client'
import type { Database } from '#shared/journal/database.ts'
import type { Registry } from '#shared/process/metrics.ts'

const keptMs = 60_000

/** The metric of it, asked at most once a minute; absent while the database does not tell. */
export function watchJournal(database: Database, metrics: Registry): void {
  let known = { bytes: Number.NaN, until: 0 }

  async function look(): Promise<void> {
    const { rows } = await sql<{ bytes: number | null }>`
      select sum(data_length + index_length) as bytes from information_schema.tables where table_schema = database()`.execute(database)
    known = { bytes: Number(rows[0]?.bytes ?? 0), until: Date.now() + keptMs }
  }

  new Gauge({
    name: 'gitlab_webhooks_journal_bytes',
    help: 'About how many bytes the tables of the journal take in the database; absent when unknown.',
    registers: [metrics],
    async collect() {
      if (known.until < Date.now()) await look()
      this.set(known.bytes)
    },
  })
}
