// What ingest tells operators about itself: where it can be asked, what waits in its spool, and how many read its feed.
import { networkInterfaces } from 'node:os'
import type { Registry } from '#shared/process/metrics.ts'
import type { ProcessFacts } from '#shared/queue/presence.ts'
import { freeBytes } from './spool/probe.ts'
import type { Spool } from './spool/spool.ts'

/** Asks the spool, and the metric in which the feed counts its subscribers. */
export function ingestFacts(spool: Spool, directory: string, metrics: Registry): () => Promise<Pick<ProcessFacts, 'spool' | 'feed'>> {
  return async function facts() {
    const { deliveries, bytes, since, unreadable } = spool.state()
    const free = await freeBytes(directory)
    const subscribers = await metrics.getSingleMetric('gitlab_webhooks_feed_subscribers')?.get()
    return {
      spool: {
        deliveries,
        bytes,
        since: since === undefined ? null : new Date(since).toISOString(),
        ...(unreadable && { unreadable }),
        ...(free !== undefined && { free }),
      },
      feed: { subscribers: subscribers?.values[0]?.value ?? 0 },
    }
  }
}

const anywhere = new Set(['0.0.0.0', '::', ''])

/** Where operators' tools can ask a listener on `host` and `port`: of all addresses of this machine the first that others reach. */
export function addressOf(host: string, port: number): string {
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .toSorted((a, b) => a.family.localeCompare(b.family))
  const name = anywhere.has(host) ? (outer[0]?.address ?? '127.0.0.1') : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
