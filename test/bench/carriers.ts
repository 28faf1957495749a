// Those who carry deliveries out: the service's workers, and as many of the naive one, with a Redis and a database to
// themselves. What they are given waits in their queue until it is opened.
import type { Queue } from 'bullmq'
import { openQueue } from '#shared/queue/open-queue.ts'
import { outboxLength } from '#shared/queue/outbox.ts'
import { addDeliveriesTo } from '../../apps/ingest/hooks/add-deliveries.ts'
import type { Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { startProgram } from './programs.ts'

export type Hook = { id: string; body: string }

/** What is expected of a number of hooks in the end. */
export type Due = { hooks: number; effects: number }

export type Carrier = {
  pids: number[]
  queue: Queue
  /** The key of the stream in which the messages are. */
  feed: string
  /** Has the hooks taken, in their order, as whoever answers 202 does. */
  accept: (hooks: Hook[]) => Promise<void>
  /** Settles when the journal has everything. Throws when it has not. */
  recorded: (due: Due) => Promise<unknown>
  stop: () => Promise<void>
}

export type StartCarrier = (stage: Stage, workers: number, flags?: string[]) => Promise<Carrier>

const atOnce = 100
let started = 0

/** The service's workers. */
export const service: StartCarrier = async (stage, count, flags) => {
  const { redis, database } = stage
  const prefix = `service-${started++}`
  const place = { redis, prefix }
  const start = () => stage.start('worker', { REDIS_PREFIX: prefix, FEED_KEEP: '1000000' }, flags)
  const workers = await Promise.all(Array.from({ length: count }, start))
  const add = addDeliveriesTo(place)
  const [queue, journal] = [openQueue(place, 'deliveries'), openQueue(place, 'journal')]

  const found = async (table: 'bodies' | 'effects') => {
    const rows = database.selectFrom(table).select(({ fn }) => fn.countAll<number>().as('count'))
    const ours = rows.where('delivery', 'like', `${prefix}-%`)
    return Number((await (table === 'effects' ? ours.where('state', '=', 'done') : ours).executeTakeFirstOrThrow()).count)
  }
  return {
    pids: workers.map((worker) => worker.pid()),
    queue,
    feed: `{${prefix}}:feed`,
    async accept(hooks) {
      const receivedAt = new Date().toISOString()
      for (let from = 0; from < hooks.length; from += atOnce)
        await add(hooks.slice(from, from + atOnce).map(({ id, body }) => ({ id: `${prefix}-${id}`, receivedAt, headers: {}, body })))
    },
    recorded: (due) =>
      until(
        async () =>
          (await outboxLength(place)) === 0 &&
          (await waiting(journal)) === 0 &&
          (await found('bodies')) === due.hooks &&
          (await found('effects')) === due.effects,
        `the journal has all ${due.hooks} deliveries and ${due.effects} effects`,
        300_000,
      ),
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
      await forget(stage, `{${prefix}}:*`)
    },
  }
}

/** As many naive workers. What is in their queue is what Hono would put there with one `add`. */
export const naive: StartCarrier = async (stage, count) => {
  const { redis, redisUrl, environment } = stage
  const prefix = `naive-${started++}`
  const { PHABRICATOR_URL = '', PHABRICATOR_TOKEN = '' } = environment
  const start = () => startProgram('naive-worker', { REDIS_URL: redisUrl, REDIS_PREFIX: `{${prefix}}`, PHABRICATOR_URL, PHABRICATOR_TOKEN })
  const workers = await Promise.all(Array.from({ length: count }, start))
  const queue = openQueue({ redis, prefix }, 'deliveries')
  return {
    pids: workers.map(({ pid }) => pid),
    queue,
    feed: `{${prefix}}:feed`,
    async accept(hooks) {
      for (let from = 0; from < hooks.length; from += atOnce)
        await Promise.all(hooks.slice(from, from + atOnce).map(({ body }) => queue.add('delivery', JSON.parse(body))))
    },
    recorded: () => Promise.resolve(),
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()))
      await forget(stage, `{${prefix}}:*`)
    },
  }
}

/** How many jobs of a queue have not ended. */
export async function waiting(queue: Queue): Promise<number> {
  return await queue.getJobCountByTypes('wait', 'active', 'delayed', 'prioritized')
}

async function forget({ redis }: Stage, pattern: string): Promise<void> {
  for (let cursor: string | undefined; cursor !== '0'; ) {
    const [next, keys] = await redis.scan(cursor ?? '0', 'MATCH', pattern, 'COUNT', 1000)
    if (keys.length > 0) await redis.unlink(keys)
    cursor = next
  }
}
