// ioredis has no codes for what goes wrong between it and Redis, only words. These are what it says, and what we take for it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { type Cluster, Redis } from 'ioredis'
import { impatientRedis, patientRedis } from '#shared/queue/queues.ts'
import { redisIsAway } from '../../apps/ops/away.ts'
import { freePort } from '../support/ports.ts'
import { type Server, startRedis } from '../support/servers.ts'

let server: Server
before(async () => {
  server = await startRedis()
})
after(() => server?.stop())

async function errorOf(redis: Redis | Cluster, ask: () => Promise<unknown>): Promise<Error> {
  try {
    await ask()
  } catch (error) {
    assert.ok(error instanceof Error)
    return error
  } finally {
    redis.disconnect()
  }
  throw new Error('Redis answered.')
}

const ways: Record<string, () => Promise<Error>> = {
  'not connected yet': async () => {
    const redis = impatientRedis(`redis://127.0.0.1:${await freePort()}`)
    return await errorOf(redis, () => redis.ping())
  },
  silent: async () => {
    const redis = impatientRedis(server.url, 200)
    await once(redis, 'ready')
    const pid = await server.pid()
    process.kill(pid, 'SIGSTOP')
    return await errorOf(redis, () => redis.ping()).finally(() => process.kill(pid, 'SIGCONT'))
  },
  'a connection that we have closed': async () => {
    const redis = patientRedis(server.url)
    await once(redis, 'ready')
    redis.disconnect()
    return await errorOf(redis, () => redis.ping())
  },
  'refused again and again': async () => {
    const redis = new Redis(`redis://127.0.0.1:${await freePort()}`, { maxRetriesPerRequest: 1 }).on('error', () => undefined)
    return await errorOf(redis, () => redis.ping())
  },
  'a Cluster of which no node answers': async () => {
    const redis = impatientRedis(`redis+cluster://127.0.0.1:${await freePort()}`)
    const failed = new Promise((_resolve, reject) => redis.once('error', reject))
    return await errorOf(redis, () => failed)
  },
}

for (const [way, happen] of Object.entries(ways))
  test(`Redis is away for whoever asks it: ${way}`, async () => {
    const error = await happen()
    assert.ok(redisIsAway(error), `${error.name}: ${error.message}`)
  })

test('a Redis that answers that something is wrong is not away', async () => {
  const redis = patientRedis(server.url)
  const error = await errorOf(redis, () => redis.call('NONSENSE'))
  assert.ok(!redisIsAway(error), error.message)
})
