// The recorder writes into the database what came through the outbox. While the database is away its queue holds, and
// nothing else notices. Entries may come twice and in any order: every write is one that can be repeated.
import type { Job, Queue, Worker } from 'bullmq'
import { type Database, meaningOf, migrate } from '#shared/journal/database.ts'
import type { JournalEntry } from '#shared/journal/entry.ts'
import { entriesIn, remainsOf } from '#shared/journal/remains.ts'
import { writeEntries } from '#shared/journal/write.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { retention } from '#shared/queue/queues.ts'
import { type WorkerContext, work } from '../performer/consumer.ts'

/** Starts the recorder. The tables are made, or brought up to date, before the first entry is written. */
export function startRecorder({ context, queue, database }: { context: WorkerContext; queue: Queue; database: Database }): Promise<Worker> {
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
    const all = entriesIn(data)
    await prepare()
    const entries = all.flatMap((one) => ('entry' in one ? [one.entry] : []))
    if (entries.length === all.length && (await mistakeOf(entries)) === undefined) return
    const mistakes: string[] = []
    for (const one of all) {
      const mistake = 'mistake' in one ? one.mistake : await mistakeOf([one.entry])
      if (mistake === undefined) continue
      mistakes.push(mistake)
      await mistakeOf(remainsOf(one.raw, mistake))
    }
    if (mistakes.length > 0) throw new Permanent(`The journal cannot keep all that it was given: ${mistakes.join(' ')}`)
  }

  async function mistakeOf(entries: JournalEntry[]): Promise<string | undefined> {
    try {
      await writeEntries(database, entries)
      return undefined
    } catch (error) {
      const meaning = meaningOf(error)
      if (!(meaning instanceof Permanent)) throw meaning
      return meaning.message
    }
  }

  // At a stop the job is handed back though a statement may still hang. If that is carried out later it does no harm: every
  // write can be repeated.
  async function run(job: Job, signal: AbortSignal): Promise<void> {
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
  queue.retryJobs({ state: 'failed' }).catch((error: unknown) => context.log.warn({ reason: inWords(error) }, 'entries stay unwritten'))
  return work({
    context,
    queue,
    keep: retention.journal,
    concurrency: 3,
    prepare: (job) => (signal) => run(job, signal),
    onDead: () => Promise.resolve(),
  })
}
