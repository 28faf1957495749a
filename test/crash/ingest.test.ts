// An ingest process is killed around the moment when a delivery becomes durable. Whoever was not answered sends again
// with the same key, and exactly one delivery is there.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deliveriesOf } from '../support/deliveries.ts'
import { freePort } from '../support/ports.ts'
import { openRedisProxy, type Verdict } from '../support/redis-proxy.ts'
import { type Process, startReady } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let directory: string
before(async () => {
  stage = await openStage()
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-ingest-'))
})
after(async () => {
  await stage.close()
  await rm(directory, { recursive: true })
})

const send = (ingest: Process, id: string) => post(ingest, { object_kind: 'push' }, { 'idempotency-key': id })

async function start(more: Record<string, string>): Promise<Process> {
  const ingest = await startReady('ingest', { ...stage.environment, ...more })
  stage.defer(ingest.kill)
  return ingest
}

async function isThereOnce(id: string): Promise<void> {
  await until(async () => (await deliveriesOf(stage).ids()).includes(id), `${id} is in Redis`)
  assert.deepEqual(
    (await deliveriesOf(stage).ids()).filter((one) => one === id),
    [id],
  )
}

const sides: Verdict[] = ['before', 'after']
for (const side of sides) {
  test(`a delivery whose ingest was killed ${side} its add is there once when it is sent again`, async () => {
    const id = `killed-${side}-the-add`
    const spool = { SPOOL_DIR: join(directory, side) }
    let victim: Process | undefined
    const look = (command: string[]) => (command.some((word) => word.includes(id)) ? side : 'pass')
    const strike = () => victim && process.kill(victim.pid(), 'SIGKILL')
    const proxy = await openRedisProxy({ redisUrl: stage.redisUrl, look, strike })
    stage.defer(proxy.close)
    victim = await start({ ...spool, REDIS_URL: proxy.url })
    const state = async () => await (await fetch(`http://127.0.0.1:${victim?.port()}/readyz`)).text()
    const isReady = () => until(async () => (await state()).includes('"state":"ready"'), 'Redis is there, and nothing is in the spool')
    await isReady()
    await send(victim, `${side}-warm`)
    await isReady()
    await assert.rejects(send(victim, id))
    const next = await start(spool)
    assert.equal((await send(next, id)).status, 202)
    await isThereOnce(id)
  })
}

test('a delivery whose ingest was killed when it was in the spool is there once when it is sent again', async () => {
  const id = 'killed-after-the-append'
  const spool = join(directory, 'append')
  const away = await start({ SPOOL_DIR: spool, REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
  const sent = send(away, id).catch(() => undefined)
  const sizes = async () => Promise.all((await readdir(spool)).map(async (name) => (await stat(join(spool, name))).size))
  await until(async () => (await sizes()).some((size) => size > 0), 'it is in the spool')
  process.kill(away.pid(), 'SIGKILL')
  await sent
  const next = await start({ SPOOL_DIR: spool })
  assert.equal((await send(next, id)).status, 202)
  await isThereOnce(id)
})
