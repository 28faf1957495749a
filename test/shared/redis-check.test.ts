// A Redis that would lose jobs, or is too old, is found out before it is trusted.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { Redis } from 'ioredis'
import { inspectRedis } from '#shared/queue/redis-check.ts'
import { freePort } from '../support/ports.ts'
import { type Server, startRedis } from '../support/servers.ts'
import { startProcess, startReady } from '../support/service.ts'
import { until } from '../support/until.ts'

let server: Server
before(async () => {
  server = await startRedis({ settings: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] })
})
after(() => server.stop())

const environment = () => ({
  SOURCE_TOKEN: 'a-source-token',
  HOST: '127.0.0.1',
  PORT: '0',
  REDIS_URL: server.url,
  SPOOL_DIR: `${server.directory}/spool`,
})

test('eviction and missing persistence are named with what they should be', async () => {
  const redis = new Redis(server.url)
  const { dangers, tooOld } = await inspectRedis(redis)
  await redis.config('SET', 'maxmemory-policy', 'noeviction')
  await redis.config('SET', 'appendonly', 'yes')
  const after_ = await inspectRedis(redis)
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await redis.config('SET', 'appendonly', 'no')
  redis.disconnect()
  assert.equal(tooOld, undefined)
  assert.deepEqual(
    dangers.map((danger) => danger.split(' ')[0]),
    ['maxmemory-policy', 'appendonly'],
  )
  assert.deepEqual(after_.dangers, [])
})

test('a process warns of a dangerous Redis, unless it is told not to', async () => {
  const loud = await startReady('ingest', environment())
  await until(() => loud.text().includes('must be noeviction'), 'the setting is named')
  assert.match(loud.text(), /appendonly is no, must be yes/)
  await loud.stop()

  const silent = await startReady('ingest', { ...environment(), REDIS_UNSAFE: 'allow' })
  const answer = await fetch(`http://127.0.0.1:${silent.port()}/readyz`)
  assert.equal(answer.status, 200)
  await silent.stop()
  assert.doesNotMatch(silent.text(), /must be/)
})

// A server that answers each question with the same INFO.
function servingInfo(port: number, lines: string[]) {
  const info = [...lines, 'maxmemory_policy:noeviction', 'aof_enabled:1', 'loading:0'].join('\r\n')
  return createServer((socket) => {
    socket.on('data', (data) => {
      const commands = data.toString().match(/\*\d+\r\n/g) ?? []
      for (const _ of commands) socket.write(data.toString().toLowerCase().includes('info') ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
    })
    socket.on('error', () => undefined)
  }).listen(port, '127.0.0.1')
}

test('that the disk of Redis keeps it waiting is found out', async () => {
  const port = await freePort()
  const slow = servingInfo(port, ['redis_version:7.0.15', 'aof_delayed_fsync:12'])
  const redis = new Redis(port)
  const { dangers, slowSyncs } = await inspectRedis(redis)
  redis.disconnect()
  slow.close()
  assert.deepEqual([dangers, slowSyncs], [[], 12])
})

test('a Valkey is named as such: the version of Redis that it tells is not its own', async () => {
  const port = await freePort()
  const valkey = servingInfo(port, ['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:9.1.2'])
  const redis = new Redis(port)
  const { name, tooOld } = await inspectRedis(redis)
  redis.disconnect()
  valkey.close()
  assert.deepEqual([name, tooOld], ['Valkey 9.1.2', undefined])
})

test('a Redis that is too old is refused, and the needed version is named', async () => {
  const port = await freePort()
  const old = servingInfo(port, ['redis_version:5.0.7'])
  const refused = startProcess('ingest', { ...environment(), REDIS_URL: `redis://127.0.0.1:${port}` })
  assert.equal(await refused.exit, 78)
  assert.match(refused.text(), /Redis 5\.0\.7 is too old: 6\.2 or newer is needed/)
  old.close()
})
