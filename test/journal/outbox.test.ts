// What the journal is told is gathered into jobs: all of it, each entry once, in its order, whoever gathers.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { z } from 'zod'
import { openQueue } from '#shared/queue/open-queue.ts'
import { addToOutbox, drainOutbox, outboxLength } from '#shared/queue/outbox.ts'
import { type Server, startRedis } from '../support/servers.ts'

let server: Server
let redis: Redis

before(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { maxRetriesPerRequest: null })
})
after(async () => {
  redis?.disconnect()
  await server?.stop()
})

const mebibyte = 1024 * 1024
const jobSchema = z.object({ entries: z.array(z.object({ number: z.number(), text: z.string() })) })
const opts = { attempts: 8, backoff: { type: 'custom' } }
let runs = 0

test('all that was told is in a job, once, in its order, in jobs that are not too large', async () => {
  const sizes = fc.array(fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 3000 }) }, fc.integer({ min: 300_000, max: 2 * mebibyte })), {
    maxLength: 400,
  })
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 3 }), async (list, drains) => {
      runs += 1
      const place = { redis, prefix: `told-${runs}` }
      for (const [number, size] of list.entries()) await addToOutbox(place, JSON.stringify({ number, text: 'ä'.repeat(size / 2) }))
      assert.equal(await outboxLength(place), list.length)
      await Promise.all(Array.from({ length: drains }, () => drainOutbox(place, opts)))
      assert.equal(await outboxLength(place), 0)

      const jobs = await openQueue(place, 'journal').getJobs(['wait'], 0, -1, true)
      const told = jobs.map(({ data }) => jobSchema.parse(data).entries)
      assert.deepEqual(
        told.flat().map(({ number }) => number),
        [...list.keys()],
      )
      for (const entries of told) {
        assert.ok(entries.length <= 300)
        assert.ok(entries.length === 1 || Buffer.byteLength(JSON.stringify(entries)) <= mebibyte + 200)
      }
      for (const job of jobs) assert.deepEqual([job.name, job.opts.attempts, job.opts.backoff], ['entries', 8, { type: 'custom' }])
      await redis.flushall()
    }),
    { numRuns: 15 },
  )
})

test('where nothing was told no job is made', async () => {
  const place = { redis, prefix: 'nothing' }
  await drainOutbox(place, opts)
  assert.deepEqual(await redis.keys('*'), [])
})
