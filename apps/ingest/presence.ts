// What ingest tells operators about itself: what waits in its spool, and how many read its feed.
import type { Registry } from '#shared/process/metrics.ts'
import type { ProcessFacts } from '#shared/queue/presence.ts'
import type { Spool } from './spool/spool.ts'

/** Asks the spool, and the metric in which the feed counts its subscribers. */
export function ingestFacts(spool: Spool, metrics: Registry): () => Promise<Pick<ProcessFacts, 'spool' | 'feed'>> {
  return async function facts() {
    const { deliveries, bytes, since, unreadable } = spool.state()
    const subscribers = await metrics.getSingleMetric('gitlab_webhooks_feed_subscribers')?.get()
    return {
      spool: { deliveries, bytes, since: since === undefined ? null : new Date(since).toISOString(), ...(unreadable && { unreadable }) },
      feed: { subscribers: subscribers?.values[0]?.value ?? 0 },
    }
  }
}
