// The entries in a job of the `journal` queue, one by one: an entry that cannot be read must not cost the others their place.
// Of such an entry everything is recorded that can be: that it was there, what became of it, and its body.
import { gzipSync } from 'node:zlib'
import { z } from 'zod'
import { sinkName } from '#shared/event/effect.ts'
import { timeSchema } from '#shared/event/time.ts'
import { entrySchema, type JournalEntry, routerLetter, unread } from './entry.ts'

/** An entry as it came, and what it says; or, in words, why it says nothing. */
export type ReadEntry = { raw: unknown; entry: JournalEntry } | { raw: unknown; mistake: string }

const jobSchema = z.object({ entries: z.array(z.unknown()) })

/** The entries in the data of a job: those that were together in the outbox, or as formerly a single one. */
export function entriesIn(data: unknown): ReadEntry[] {
  const job = jobSchema.safeParse(data)
  return (job.success ? job.data.entries : [data]).map((raw) => {
    const { data: entry, error } = entrySchema.safeParse(raw)
    return entry ? { raw, entry } : { raw, mistake: inShort(error) }
  })
}

function inShort(error: z.ZodError | undefined): string {
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

const nothing = gzipSync('').toString('base64')
const now = () => new Date().toISOString()

const deliverySchema = z.object({
  type: z.literal('delivery'),
  id: z.string(),
  receivedAt: timeSchema.catch(now),
  body: z.base64().catch(nothing),
})

const endedSchema = z.object({
  type: z.literal('ended'),
  effect: z.object({ id: z.string(), delivery: z.string(), sink: sinkName, since: timeSchema.catch(now) }),
  state: z.enum(['done', 'nothing', 'dead']).catch('dead'),
  attempts: z.number().int().min(0).catch(0),
  endedAt: timeSchema.catch(now),
})

/** What of `raw` can be recorded although it cannot as it is, for the reason in `mistake`; nothing for what is no entry at all. */
export function remainsOf(raw: unknown, mistake: string): JournalEntry[] {
  const reason = `The journal cannot keep it as it is: ${mistake}`
  const { data: delivery } = deliverySchema.safeParse(raw)
  if (delivery) {
    const bare: JournalEntry = { ...delivery, headers: {}, kind: unread, decisions: [], effects: [] }
    return [bare, routerLetter(delivery, reason, 1)]
  }
  const { data: ended } = endedSchema.safeParse(raw)
  return ended ? [{ ...ended, effect: { ...ended.effect, order: '' }, reason }] : []
}
