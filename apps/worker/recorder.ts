// The recorder writes into the database what the journal was told. While the database is away its queue holds, and
// nothing else notices. Entries may come twice and in any order: every write is one that can be repeated.
import type { Job, Queue, Worker } from 'bullmq'
import { Permanent } from '#shared/errors.ts'
import { type Database, meaningOf, migrate } from '#shared/journal/database.ts'
import { entrySchema } from '#shared/journal/entry.ts'
import { writeEntry } from '#shared/journal/write.ts'
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
      await writeEntry(database, entry.data)
    } catch (error) {
      throw meaningOf(error)
    }
  }

  // A database that hangs must not keep a job from being handed back; what it writes after all does no harm.
  async function run(job: Job, _token: string, signal: AbortSignal): Promise<void> {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const onAbort = () => reject(new Error('The worker is stopping.'))
    signal.addEventListener('abort', onAbort)
    try {
      await Promise.race([write(job.data), aborted])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  return work({ office, name: 'journal', queue, concurrency: 3, run, onDead: () => Promise.resolve() })
}
