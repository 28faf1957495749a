// For how long a queue is held, whoever asks for it, and in whatever order.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { Unavailable } from '#shared/process/errors.ts'
import { openHolds } from '../../apps/worker/performer/holds.ts'
import { type Bench, openBenches } from './bench.ts'

let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
})
after(() => benches.close())

const holdsOf = ({ redis, prefix, queues }: Bench) =>
  openHolds({ redis, prefix, queue: queues.phabricator, concurrency: undefined, log: pino({ level: 'silent' }) })
const leftOf = ({ redis, queues }: Bench) => redis.pttl(queues.phabricator.toKey('limiter'))
const down = (retryAfter?: number) => new Unavailable('down', { retryAfter })
const slackMs = 5

const step = fc.oneof(fc.record({ hold: fc.constantFrom(undefined, 500, 3000, 15_000, 60_000) }), fc.constant({ release: true as const }))

test('a queue is held for at least as long as anybody asks, and never for less than before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
      const bench = benches.open()
      // Two workers, each with a memory of its own.
      const workers = [holdsOf(bench), holdsOf(bench)]
      for (const [index, one] of steps.entries()) {
        const asked = performance.now()
        const was = await leftOf(bench)
        const holds = workers[index % 2]
        await ('release' in one ? holds?.release() : holds?.hold(down(one.hold)))
        const due = Math.max(was, 'hold' in one ? (one.hold ?? 0) : 0)
        const left = (await leftOf(bench)) + performance.now() - asked
        assert.ok(left >= due - slackMs, `${left} ms of ${due} after ${JSON.stringify(one)}`)
      }
    }),
    { numRuns: 25 },
  )
})

test('a success of one that was under way lets nothing go before the probe is due', async () => {
  const bench = benches.open()
  const holds = holdsOf(bench)
  const asked = performance.now()
  await holds.hold(down(15_000))
  await holds.release()
  assert.equal(await bench.queues.phabricator.getGlobalConcurrency(), 1)
  await holds.hold(down())
  assert.ok((await leftOf(bench)) + performance.now() - asked > 15_000 - slackMs)
})

test('a worker whose clock is an hour ahead, or behind, holds a queue for no longer than others do', async () => {
  const { now } = Date
  for (const off of [3_600_000, -3_600_000]) {
    const bench = benches.open()
    const [wrong, right] = [holdsOf(bench), holdsOf(bench)]
    try {
      Date.now = () => now() + off
      await wrong.hold(down())
    } finally {
      Date.now = now
    }
    await bench.redis.del(bench.queues.phabricator.toKey('limiter'))
    await right.hold(down())
    const left = await leftOf(bench)
    assert.ok(left > 0 && left <= 1000, `${left} ms`)
  }
})

test('nobody holds a queue for more than an hour, also when the clock of Redis has gone back', async () => {
  const bench = benches.open()
  const holds = holdsOf(bench)
  await holds.hold(down(24 * 3_600_000))
  assert.ok((await leftOf(bench)) <= 3_600_000)

  const back = benches.open()
  await holdsOf(back).hold(down())
  await back.redis.hincrby(`{${back.prefix}}:hold:phabricator`, 'until', 24 * 3_600_000)
  await back.redis.del(back.queues.phabricator.toKey('limiter'))
  await holdsOf(back).hold(down())
  assert.ok((await leftOf(back)) <= 2000)
})

test('a queue is held as BullMQ’s own rate limit would hold it', async () => {
  const [ours, theirs] = [benches.open(), benches.open()]
  await holdsOf(ours).hold(down())
  await theirs.queues.phabricator.rateLimit(1000)
  const limit = ({ redis, queues }: Bench) => redis.get(queues.phabricator.toKey('limiter'))
  assert.equal(await limit(ours), await limit(theirs))
  assert.ok((await ours.queues.phabricator.getRateLimitTtl(1)) > 0)
})
