// The spool through the front door: what happens to deliveries while Redis does not take them.
import assert from 'node:assert/strict'
import { appendFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { besidePace } from '../support/pace.ts'
import { until } from '../support/until.ts'
import { ask, names, queued, records, scene, send, sendAll } from './spool-scene.ts'

scene('deliveries are taken with Redis down, and handed over in order when it comes', async ({ start, startRedisThere }) => {
  const ingest = await start()
  await sendAll(ingest, names(20))
  const ready = await ask(ingest, '/readyz')
  assert.equal(ready.status, 200)
  assert.match(ready.text, /"state":"degraded".*"deliveries":20/)

  const redis = await startRedisThere()
  await until(async () => (await queued(redis)).length === 20, 'all deliveries are in Redis')
  assert.deepEqual(await queued(redis), names(20))
  await sendAll(ingest, ['after'])
  assert.deepEqual(await queued(redis), [...names(20), 'after'])
})

scene('a Redis that hangs costs each sender less than two seconds, and no delivery', async ({ start, startRedisThere }) => {
  const redis = await startRedisThere()
  const ingest = await start()
  await sendAll(ingest, ['before'])
  const pid = await redis.pid()
  process.kill(pid, 'SIGSTOP')
  const sending = names(10).map(async (id) => {
    const started = performance.now()
    const { status } = await send(ingest, id)
    return { status, ms: performance.now() - started }
  })
  const [answers, allowanceMs] = await besidePace(Promise.all(sending), () => ask(ingest, '/healthz'))
  process.kill(pid, 'SIGCONT')
  for (const { status, ms } of answers) assert.ok(status === 202 && ms < 2000 + allowanceMs, `${status} after ${ms} ms`)
  await until(async () => (await queued(redis)).length === 11, 'all deliveries are in Redis, each once')
})

scene('a Redis that is full makes deliveries wait in the spool', async ({ start, startRedisThere }) => {
  const redis = await startRedisThere()
  const ingest = await start()
  const control = new Redis(redis.url)
  await control.config('SET', 'maxmemory', '1')
  await sendAll(ingest, names(3))
  await control.config('SET', 'maxmemory', '0')
  control.disconnect()
  await until(async () => (await queued(redis)).length === 3, 'the deliveries are in Redis')
})

scene('what a killed process left in its spool is handed over by the next one', async ({ spool, start, startRedisThere }) => {
  const killed = await start()
  await sendAll(killed, names(5))
  process.kill(killed.pid(), 'SIGKILL')
  await killed.exit
  const next = await start()
  await sendAll(next, ['later'])
  const redis = await startRedisThere()
  await until(async () => (await queued(redis)).length === 6, 'all deliveries are in Redis')
  assert.deepEqual(await queued(redis), [...names(5), 'later'])
  await until(async () => (await records(spool)).length === 0, 'the spool files are gone')
})

scene('a torn last line is put aside and blocks nothing', async ({ spool, start, startRedisThere }) => {
  const killed = await start()
  await sendAll(killed, names(2))
  process.kill(killed.pid(), 'SIGKILL')
  await killed.exit
  const [file = ''] = await records(spool)
  await appendFile(join(spool, file), '1234abcd {"id":"torn","rece')
  const next = await start()
  const redis = await startRedisThere()
  await until(async () => (await queued(redis)).length === 2, 'the whole records are in Redis')
  await until(async () => (await readdir(spool)).some((name) => name.endsWith('.broken')), 'the torn line is put aside')
  await until(() => next.text().includes('put aside what is no record'), 'that is said')
})

scene('without Redis and without a disk the answer is 503, and the state says so', async ({ spool, start, startRedisThere }) => {
  const noDirectory = join(spool, 'file')
  await writeFile(noDirectory, '')
  const ingest = await start({ SPOOL_DIR: noDirectory })
  const refused = await send(ingest, 'refused')
  assert.equal(refused.status, 503)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await ask(ingest, '/readyz')).status, 503)
  assert.match((await ask(ingest, '/metrics')).text, /gitlab_webhooks_spool_writable 0/)

  await startRedisThere()
  await until(async () => (await send(ingest, 'taken')).status === 202, 'deliveries are taken again')
  await rm(noDirectory)
  await until(async () => (await ask(ingest, '/readyz')).text.includes('"state":"ready"'), 'the spool can be written again')
})

scene('spool files and their directory can be read by nobody else', async (play) => {
  const spool = join(play.spool, 'made', 'by-ingest')
  const ingest = await play.start({ SPOOL_DIR: spool })
  assert.equal((await send(ingest, 'private')).status, 202)
  const [file = ''] = await readdir(spool)
  const mode = async (path: string) => (await stat(path)).mode & 0o777
  assert.deepEqual([await mode(spool), await mode(join(spool, file))], [0o700, 0o600])
})
