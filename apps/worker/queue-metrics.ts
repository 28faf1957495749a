// How the queues stand, asked when somebody looks: what waits, what is dead, what is held and since when.
import { Gauge } from 'prom-client'
import type { Registry } from '#shared/process/metrics.ts'
import { countJobs, oldestSeconds } from '#shared/queue/counts.ts'
import { readHold } from '#shared/queue/hold.ts'
import { lossKinds, rememberedLosses } from '#shared/queue/losses.ts'
import type { Redis } from '#shared/queue/redis.ts'
import type { Queues } from '#sinks/queues.ts'

/** Metrics of all `queues`. `redis` must be a connection that answers or fails at once: a scrape waits for it. */
export function watchQueues({ queues, redis, prefix, metrics }: { queues: Queues; redis: Redis; prefix: string; metrics: Registry }): void {
  new Gauge({
    name: 'gitlab_webhooks_queue_jobs',
    help: 'Jobs of a queue by state; the failed ones are its dead letters.',
    labelNames: ['queue', 'state'],
    registers: [metrics],
    async collect() {
      this.reset()
      if (redis.status !== 'ready') return
      for (const [name, queue] of Object.entries(queues)) {
        for (const [state, count] of Object.entries(await countJobs(queue, { redis, prefix }))) this.set({ queue: name, state }, count)
      }
    },
  })
  new Gauge({
    name: 'gitlab_webhooks_queue_oldest_seconds',
    help: 'For how long the oldest job of a queue that waits for its turn has been there; 0 when none waits.',
    labelNames: ['queue'],
    registers: [metrics],
    async collect() {
      this.reset()
      if (redis.status !== 'ready') return
      for (const [name, queue] of Object.entries(queues)) this.set({ queue: name }, await oldestSeconds(queue))
    },
  })
  new Gauge({
    name: 'gitlab_webhooks_queue_held_seconds',
    help: 'For how long a queue has been waiting for its remote; 0 when it is not held. Refused credentials have refused="true".',
    labelNames: ['queue', 'refused', 'remote'],
    registers: [metrics],
    async collect() {
      this.reset()
      if (redis.status !== 'ready') return
      for (const name of Object.keys(queues)) {
        const hold = await readHold(redis, prefix, name)
        const remote = hold ? (hold.remote ?? remoteOf(name)) : ''
        this.set({ queue: name, refused: String(hold?.refused === true), remote }, hold ? (Date.now() - hold.since.getTime()) / 1000 : 0)
      }
    },
  })
  new Gauge({
    name: 'gitlab_webhooks_losses',
    help: 'Losses that nobody has acknowledged: deliveries refused, a Redis or a database that has come back empty.',
    labelNames: ['kind'],
    registers: [metrics],
    async collect() {
      this.reset()
      if (redis.status !== 'ready') return
      const losses = await rememberedLosses({ redis, prefix })
      for (const kind of lossKinds) this.set({ kind }, losses.filter((loss) => loss.kind === kind).length)
    },
  })
}

// What no sink declares.
function remoteOf(queue: string): string {
  return queue === 'journal' ? 'database' : 'unknown'
}
