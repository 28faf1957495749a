// The recorder writes into the database what the journal was told. While the database is away its queue holds, and
// nothing else notices. Entries may come twice and in any order: every write is one that can be repeated.
import type { Job, Queue, Worker } from 'bullmq'
import { inWords, Permanent } from '#shared/errors.ts'
import { type Database, meaningOf, migrate } from '#shared/journal/database.ts'
import { toldSchema } from '#shared/journal/entry.ts'
import { writeEntries } from '#shared/journal/write.ts'
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
    const told = toldSchema.safeParse(data)
    if (!told.success) throw new Permanent('The journal was told something that is not an entry.')
    await prepare()
    const mistakes = await mistakesOf(writeEntries(database, told.data))
    if (mistakes.length === 0) return
    // One of them cannot be written: the others can.
    const apart: string[] = []
    for (const entry of told.data) apart.push(...(await mistakesOf(writeEntries(database, [entry]))))
    if (apart.length > 0) throw new Permanent(apart.join(' '))
  }

  async function mistakesOf(writing: Promise<void>): Promise<string[]> {
    try {
      await writing
      return []
    } catch (error) {
      const meaning = meaningOf(error)
      if (!(meaning instanceof Permanent)) throw meaning
      return [meaning.message]
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

  // What a former release could not write this one may: nobody else sees to the dead letters of this queue.
  queue.retryJobs({ state: 'failed' }).catch((error: unknown) => office.log.warn({ reason: inWords(error) }, 'entries stay unwritten'))
  return work({ office, name: 'journal', queue, concurrency: 3, run, onDead: () => Promise.resolve() })
}
