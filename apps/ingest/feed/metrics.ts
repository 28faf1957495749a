// What the feed counts.
import { Counter, Gauge } from 'prom-client'
import type { Registry } from '#shared/process/metrics.ts'

export type FeedMetrics = ReturnType<typeof feedMetrics>

export function feedMetrics(registry: Registry) {
  const counter = (name: string, help: string) => new Counter({ name: `gitlab_webhooks_feed_${name}`, help, registers: [registry] })
  return {
    messages: counter('messages_total', 'Messages written to subscribers.'),
    bytes: counter('bytes_total', 'Bytes of messages written to subscribers.'),
    gaps: counter('gaps_total', 'Subscribers told that something is gone.'),
    letGo: counter('let_go_total', 'Streams closed because their reader took nothing for too long.'),
    historyReads: counter('history_reads_total', 'Pages read from the relay or the journal.'),
    refused: new Counter({
      name: 'gitlab_webhooks_feed_refused_total',
      help: 'Requests for the feed that were refused.',
      labelNames: ['reason'],
      registers: [registry],
    }),
  }
}

/** A gauge that asks when it is looked at. */
export function watch(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name: `gitlab_webhooks_feed_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(value())
    },
  })
}
