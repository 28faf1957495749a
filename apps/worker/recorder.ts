// The recorder writes into the database what the journal was told. While the database is away its queue holds, and
// nothing else notices. Entries may come twice and in any order: every write is one that can be repeated.
import type { Queue, Worker } from 'bullmq'
import { sql } from 'kysely'
import { Permanent } from '#shared/errors.ts'
import { type Database, meaningOf, migrate } from '#shared/journal/database.ts'
import { type DeliveryEntry, type EndedEntry, entrySchema } from '#shared/journal/entry.ts'
import { type Office, work } from './work.ts'

/** Starts the recorder. The tables are made, or brought up to date, before the first entry is written. */
export function startRecorder({ office, queue, database }: { office: Office; queue: Queue; database: Database }): Promise<Worker> {
  let ready: Promise<void> | undefined

  async function prepare(): Promise<void> {
    ready ??= migrate(database)
    try {
      await ready
    } catch (error) {
      ready = undefined
      throw error
    }
  }

  async function write(data: unknown): Promise<void> {
    const entry = entrySchema.safeParse(data)
    if (!entry.success) throw new Permanent('The journal was told something that is not an entry.')
    await prepare()
    try {
      if (entry.data.type === 'delivery') await writeDelivery(database, entry.data)
      else await writeEnded(database, entry.data)
    } catch (error) {
      throw meaningOf(error)
    }
  }

  return work({ office, queue, concurrency: 3, run: (job) => write(job.data), onDead: () => Promise.resolve() })
}

async function writeDelivery(database: Database, entry: DeliveryEntry): Promise<void> {
  const { id, receivedAt, headers, body, kind, action = null, project = null, iid = null, decisions, effects } = entry
  await database
    .insertInto('deliveries')
    .ignore()
    .values({
      id,
      iid,
      received_at: new Date(receivedAt),
      kind: kind.slice(0, 100),
      action: action?.slice(0, 100) ?? null,
      project: project?.slice(0, 500) ?? null,
      headers: JSON.stringify(headers).slice(0, 60_000),
      body: Buffer.from(body, 'base64'),
    })
    .execute()
  if (decisions.length > 0) {
    const rows = decisions.map(({ sink, reason = null }) => ({ delivery: id, sink, reason }))
    await database.insertInto('decisions').ignore().values(rows).execute()
  }
  if (effects.length > 0) {
    const rows = effects.map((effect) => ({ ...effectRow(effect), state: 'planned' as const, attempts: 0 }))
    await database.insertInto('effects').ignore().values(rows).execute()
  }
}

async function writeEnded(database: Database, { effect, state, reason, link, made, attempts, endedAt }: EndedEntry): Promise<void> {
  const found = { reason: reason ?? null, link: link ?? null, made: made ?? null }
  const ended = { state, ...found, attempts, ended_at: new Date(endedAt) }
  await database
    .insertInto('effects')
    .values({ ...effectRow(effect), ...ended })
    .onDuplicateKeyUpdate(Object.fromEntries(Object.keys(ended).map((column) => [column, newer(column)])))
    .execute()
}

// What ended later counts, but what was done stays done: when it is looked at again there is nothing to do. The columns
// change one after another, so `ended_at`, which all of them compare, is the last.
function newer(column: string) {
  const isLater = sql`(ended_at is null or values(ended_at) >= ended_at)`
  const staysDone = sql`(state = 'done' and values(state) <> 'done')`
  return sql`if(${isLater} and not ${staysDone}, values(${sql.ref(column)}), ${sql.ref(column)})`
}

function effectRow({ id, delivery, sink, order, since }: EndedEntry['effect']) {
  return { id, delivery, sink, order_key: order.slice(0, 600), since: new Date(since) }
}
