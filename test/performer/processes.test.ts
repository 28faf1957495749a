// Real workers that are killed, frozen and stopped in the middle of a job.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Redis } from 'ioredis'
import type { JsonObject } from '#shared/process/json.ts'
import { deliveryJobId, keyPrefix } from '#shared/queue/queues.ts'
import { openQueues } from '#sinks/queues.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import { besidePace } from '../support/pace.ts'
import { openRedisProxy } from '../support/redis-proxy.ts'
import { startMariaDb } from '../support/servers.ts'
import { type Process, startProcess, stopMs } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const given = process.env.DATABASE_URL
let release: () => Promise<void> = () => Promise.resolve()
before(async () => {
  if (given) return
  const mariadb = await startMariaDb()
  process.env.DATABASE_URL = mariadb.url
  release = mariadb.stop
})
after(() => release())

type Scene = Stage & {
  queues: ReturnType<typeof openQueues>
  /** Hands in a hook of this moment, as ingest does; `id` is the delivery's. */
  deliver: (name: string, id: string) => Promise<void>
  /** A worker, and what is to be done to it when it sends a command in which `words` stands. */
  startVictim: (words: RegExp, strike: (victim: Process) => void, how?: 'before' | 'pass') => Promise<Process>
  verbs: (task: number) => string[]
}

async function play(action: (scene: Scene) => Promise<void>): Promise<void> {
  const stage = await openStage({ SINKS_ENABLED: 'phabricator,sse' })
  const { redis, environment, sandbox } = stage
  const queues = openQueues({ redis, prefix: environment.REDIS_PREFIX ?? '' })
  try {
    await action({
      ...stage,
      queues,
      async deliver(name, id) {
        const body: JsonObject = hook(name, sandbox.gitlab.url)
        const updated_at = new Date().toISOString()
        const attributes = { ...(isObject(body.object_attributes) && body.object_attributes), updated_at }
        const text = JSON.stringify({ ...body, object_attributes: attributes })
        const delivery = { id, receivedAt: updated_at, headers: {}, body: text }
        await queues.deliveries.add('delivery', delivery, { jobId: deliveryJobId(id) })
      },
      async startVictim(words, strike, how = 'before') {
        const started: Process[] = []
        const struck = () => {
          for (const victim of started) strike(victim)
        }
        const look = (command: string[]) => {
          if (started.length === 0 || !words.test(command.join(' '))) return 'pass'
          if (how === 'pass') struck()
          return how
        }
        const proxy = await openRedisProxy({ redisUrl: stage.redisUrl, look, strike: struck })
        stage.defer(proxy.close)
        const victim = startProcess('worker', { ...environment, REDIS_URL: proxy.url })
        stage.defer(victim.kill)
        // From its first command on: it may take up at once what waits.
        started.push(victim)
        const isWorking = () => victim.lines.some(({ msg }) => msg === 'working')
        await until(async () => isWorking() || (await hasEnded(victim)), 'it works, or has died of what waited')
        return victim
      },
      verbs: (task) => sandbox.phabricator.comments(task).map((text) => text.split(' ')[1] ?? ''),
    })
  } finally {
    await stage.close()
  }
}

const sigkill = (victim: Process) => void process.kill(victim.pid(), 'SIGKILL')

describe('a worker', { concurrency: 4, timeout: 300_000 }, () => {
  test('that is killed while it routes is followed by another one within fifteen seconds, on a busy machine, too', () =>
    play(async ({ redis, start, startVictim, deliver, verbs }) => {
      const victim = await startVictim(/^evalsha \S+ 10 \S+:router /, sigkill)
      await start('worker')
      // Whoever takes it up first: only the one that is watched dies.
      for (let count = 0; count < 20 && !(await hasEnded(victim)); count++) await deliver('merge-request-open', `open-${count}`)
      const killed = Date.now()
      await deliver('merge-request-close', 'close')
      const closed = until(() => verbs(1).at(-1) === 'closed', 'the last delivery has had its effect')
      const [, allowanceMs] = await besidePace(closed, () => redis.ping())
      assert.ok(Date.now() - killed < 15_000 + allowanceMs, `${Date.now() - killed} ms`)
    }))

  test('that a delivery kills again and again lays it out as a dead letter, and goes on', () =>
    play(async ({ startVictim, deliver, queues, verbs, sandbox }) => {
      await deliver('merge-request-open', 'poison')
      await deliver('merge-request-close', 'harmless')
      const isOver = async () => (await queues.deliveries.getFailedCount()) === 1
      let starts = 0
      while (starts < 10 && !(await isOver())) {
        const victim = await startVictim(/^evalsha \S+ 10 \S+:router .*poison\/phabricator/s, sigkill)
        await until(async () => (await isOver()) || (await hasEnded(victim)), 'it died again')
        starts++
      }
      assert.ok(starts >= 2 && starts <= 5, `${starts} starts`)
      await until(() => sandbox.phabricator.comments(2).length === 1, 'the next delivery has had its effects')
      assert.deepEqual(verbs(1), ['closed'])
    }))

  test('that an effect kills too often lays it out, and its lane goes on', () =>
    play(async ({ start, startVictim, deliver, queues, redis, environment, verbs }) => {
      const victim = await startVictim(/:made:phabricator.*poison/s, sigkill)
      await deliver('merge-request-open', 'poison')
      await until(() => hasEnded(victim), 'it is dead')
      // As if two others had died before, and it had been tried alone.
      const [job] = await queues.phabricator.getActive()
      await redis.hset(queues.phabricator.toKey(job?.id ?? ''), 'stc', 2)
      const suspects = `${keyPrefix(environment.REDIS_PREFIX ?? '')}:suspects`
      await redis.hset(suspects, `phabricator/${job?.id}`, JSON.stringify({ deaths: 0, onTrial: true }))
      await deliver('merge-request-close', 'harmless')
      await start('worker')
      await until(() => verbs(1).includes('closed'), 'the next one has its turn')
      await until(async () => (await queues.phabricator.getFailedCount()) === 1, 'the other one is laid out')
      const dead = await queues.phabricator.getFailed()
      assert.match(dead[0]?.failedReason ?? '', /^It was under way at 3 deaths of a worker/)
    }))

  const moments = {
    'when it ends an effect': /^evalsha \S+ 6 \S+:told \S+:phabricator:\S+:lock /,
    'while it makes sure that the job is still its own': /:phabricator:\S+:lock \S+:phabricator:stalled/,
  }
  for (const [moment, words] of Object.entries(moments)) {
    test(`that was frozen ${moment}, for longer than its lock, comments no more once another one has`, () =>
      play(async ({ start, startVictim, deliver, verbs, queues }) => {
        let frozen = false
        const freeze = (victim: Process) => {
          if (!frozen) process.kill(victim.pid(), 'SIGSTOP')
          frozen = true
        }
        const victim = await startVictim(words, freeze, 'pass')
        await deliver('merge-request-open', 'open')
        await until(() => frozen, 'it is frozen')
        await start('worker')
        await until(() => verbs(1).length + verbs(2).length === 2, 'the other one has commented')
        process.kill(victim.pid(), 'SIGCONT')
        await deliver('merge-request-close', 'close')
        await until(() => verbs(1).length + verbs(2).length >= 4, 'the next delivery has had its effects')
        await until(async () => (await queues.phabricator.getActiveCount()) === 0, 'nothing is under way')
        assert.deepEqual(
          [verbs(1), verbs(2)],
          [
            ['opened', 'closed'],
            ['opened', 'closed'],
          ],
        )
      }))
  }

  for (const redisHangs of [false, true]) {
    test(`that is stopped while Phabricator hangs${redisHangs ? ' and Redis, too,' : ''} ends in time, and the job goes on elsewhere`, () =>
      play(async ({ start, deliver, sandbox, queues, verbs, redisUrl }) => {
        sandbox.phabricator.fault({ kind: 'hang' })
        const stopped = await start('worker')
        await deliver('merge-request-open', 'open')
        await until(() => sandbox.phabricator.requests.length > 0, 'Phabricator is being asked')
        const pid = redisHangs ? await pidOf(redisUrl) : undefined
        if (pid !== undefined) process.kill(pid, 'SIGSTOP')
        try {
          assert.equal(await stopped.stop(), 0)
          assert.ok(stopMs(stopped) < 10_000, `${stopMs(stopped)} ms`)
        } finally {
          if (pid !== undefined) process.kill(pid, 'SIGCONT')
        }
        if (!redisHangs) assert.equal(await queues.phabricator.getActiveCount(), 0)
        sandbox.phabricator.fault(undefined)
        await start('worker')
        await until(() => verbs(1).length + verbs(2).length === 2, 'the comments are there')
        assert.deepEqual([verbs(1), verbs(2)], [['opened'], ['opened']])
      }))
  }

  test('that is stopped in the middle of a slow comment leaves it to be found by the other one', () =>
    play(async ({ start, deliver, sandbox, queues, verbs }) => {
      sandbox.phabricator.fault({ kind: 'slow', ms: 7000, match: ({ path }) => path.endsWith('maniphest.edit'), times: 2 })
      const stopped = await start('worker', { CALL_SECONDS: '9' })
      await deliver('merge-request-open', 'open')
      await until(() => sandbox.phabricator.requests.length >= 2, 'both comments are being made')
      const next = start('worker')
      assert.equal(await stopped.stop(), 0)
      await next
      await until(async () => (await queues.phabricator.getCompletedCount()) === 2, 'both effects are done')
      await until(() => sandbox.phabricator.requests.every(({ status }) => status !== undefined), 'all calls have ended there')
      assert.deepEqual([verbs(1), verbs(2)], [['opened'], ['opened']])
    }))
})

async function hasEnded(process_: Process): Promise<boolean> {
  return await Promise.race([process_.exit.then(() => true), new Promise<false>((resolve) => setTimeout(() => resolve(false), 50))])
}

async function pidOf(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl)
  const info = await redis.info('server')
  redis.disconnect()
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}
