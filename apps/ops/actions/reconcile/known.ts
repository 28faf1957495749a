// What the journal knows of merge requests, to be compared with what GitLab reports: by project id, since paths change.
import { z } from 'zod'
import { parseEvent } from '#shared/event/event.ts'
import type { Database } from '#shared/journal/database.ts'
import { behind, pagesOf } from '#shared/journal/keyset.ts'
import { deliveryFrom, type StoredDelivery } from '#shared/journal/stored-delivery.ts'
import type { Happened } from './happened.ts'

type Report = { action: string | undefined; at: number; head: string | undefined }

export type Known = {
  /** Whether a delivery told of this; each delivery answers for one thing only. */
  reports: (projectId: number, iid: number, what: Happened) => boolean
}

const headSchema = z.object({ object_attributes: z.object({ last_commit: z.object({ id: z.string() }) }) })
const pageSize = 50
// The clocks of GitLab and of ours, and what lies between an act and its hook, may differ by so much.
const marginMs = 10 * 60_000
const nearMs = 2 * 60_000

const dayMs = 86_400_000

/** From when on the journal, which keeps `keepDays` days, can tell what was missed: from its oldest delivery; undefined when it is empty. */
export async function knownSince(database: Database, keepDays: number): Promise<Date | undefined> {
  const oldest = await database.selectFrom('deliveries').select('received_at').orderBy('received_at').limit(1).executeTakeFirst()
  return oldest && new Date(Math.max(oldest.received_at.getTime(), Date.now() - keepDays * dayMs))
}

/** Reads the deliveries about merge requests that came since the time `since`, a little before included. */
export async function readKnown(database: Database, since: Date): Promise<Known> {
  const reported = new Map<string, Report[]>()
  const query = database
    .selectFrom('deliveries')
    .innerJoin('bodies', 'bodies.delivery', 'deliveries.id')
    .select(['id', 'received_at', 'origin', 'body'])
    .where('kind', '=', 'merge_request')
    .where('received_at', '>=', new Date(since.getTime() - marginMs))
    .orderBy('received_at')
    .orderBy('id')
  const read = (last: StoredDelivery | undefined, count: number) =>
    query
      .where(behind(last && { received_at: last.received_at, id: last.id }))
      .limit(count)
      .execute()
  for await (const page of pagesOf(pageSize, read))
    for (const row of page) {
      const delivery = await deliveryFrom(row).catch(() => undefined)
      if (!delivery) continue
      const event = parseEvent(delivery)
      const { data } = headSchema.safeParse(event.body)
      if (!event.mergeRequest) continue
      const key = `${event.mergeRequest.projectId}!${event.mergeRequest.iid}`
      const one = { action: event.action, at: Date.parse(event.since), head: data?.object_attributes.last_commit.id }
      reported.set(key, [...(reported.get(key) ?? []), one])
    }

  return {
    reports(projectId, iid, what) {
      const all = reported.get(`${projectId}!${iid}`) ?? []
      if (what.action === 'update') return all.some(({ head }) => head === what.head)
      const near = (one: Report) => Math.abs(one.at - Date.parse(what.at))
      const once = what.action === 'open' || what.action === 'merge'
      const candidates = all.filter((one) => one.action === what.action && (once || near(one) <= nearMs))
      const [best] = candidates.sort((a, b) => near(a) - near(b))
      if (!best) return false
      all.splice(all.indexOf(best), 1)
      return true
    },
  }
}
