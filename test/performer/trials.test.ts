// Workers that are killed again and again: what kills them is found out and given up, and nothing else is.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { effectRows, type Flow, mergeRequestHook, openFlow } from '../flow/flow.ts'
import { startMariaDb } from '../support/servers.ts'
import type { Process } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Bench, done, effect, empty, openBenches } from './bench.ts'

const patience = 60_000

const given = process.env.DATABASE_URL
let release: () => Promise<void> = () => Promise.resolve()
let benches: Awaited<ReturnType<typeof openBenches>>
before(async () => {
  benches = await openBenches()
  if (given) return
  const mariadb = await startMariaDb()
  process.env.DATABASE_URL = mariadb.url
  release = mariadb.stop
})
after(async () => {
  await benches.close()
  await release()
})

type Scene = Flow & {
  /** How often Phabricator was asked to comment on the task. */
  asked: (task: number) => number
  /** Each task is named by a merge request of its own. */
  openOnEach: (tasks: number[]) => Promise<void>
  kill: (worker: Process) => Promise<void>
}

async function play(hangs: (task: number) => boolean, action: (scene: Scene) => Promise<void>): Promise<void> {
  const flow = await openFlow(() => ({ SINKS_ENABLED: 'phabricator', GITLAB_TOKEN: '' }))
  const { phabricator } = flow.sandbox
  const taskOf = ({ path, body }: { path: string; body: string }) =>
    path.endsWith('maniphest.edit') ? Number(/objectIdentifier\W+T(\d+)/.exec(body)?.[1]) : 0
  phabricator.fault({ kind: 'hang', match: (request) => taskOf(request) > 0 && hangs(taskOf(request)) })
  try {
    await action({
      ...flow,
      asked: (task) => phabricator.requests.filter((request) => taskOf(request) === task).length,
      async openOnEach(tasks) {
        for (const task of tasks)
          await flow.send(mergeRequestHook(flow, { iid: 100 + task, description: `Bug: T${task}` }), `names-${task}`)
      },
      async kill(worker) {
        process.kill(worker.pid(), 'SIGKILL')
        await worker.exit
      },
    })
  } finally {
    await flow.close()
  }
}

describe('a worker', { concurrency: 2, timeout: 400_000 }, () => {
  test('that one effect kills again and again tries it alone and gives it up, but none of those that were beside', async () => {
    let deaths = 0
    await play(
      (task) => task === 1 || deaths < 2,
      async ({ start, worker: first, asked, openOnEach, kill, sandbox, dead, ...flow }) => {
        await openOnEach([1, 2, 5])
        const isOver = async () => (await dead('phabricator')).length > 0
        for (let worker = first; deaths < 8; worker = await start('worker')) {
          const before = [1, 2, 5].map(asked)
          const isUnderWay = () => [1, 2, 5].every((task, at) => asked(task) > (before[at] ?? 0) || (task !== 1 && deaths >= 2))
          await until(async () => (await isOver()) || isUnderWay(), 'what kills it is under way', patience)
          if (await isOver()) break
          await kill(worker)
          deaths++
        }
        const reason = 'It was under way at 3 deaths of a worker, and nothing else was at the last one.'
        assert.deepEqual(await dead('phabricator'), [{ id: 'names-1/phabricator/T1', reason }])
        assert.equal(deaths, 3)
        await flow.settled()
        assert.deepEqual(
          [1, 2, 5].map((task) => sandbox.phabricator.comments(task).length),
          [0, 1, 1],
        )
        const rows = [await effectRows({ ...flow, sandbox, start }, 'names-1'), await effectRows({ ...flow, sandbox, start }, 'names-2')]
        assert.deepEqual([rows[0]?.get('phabricator/T1')?.state, rows[0]?.get('phabricator/T1')?.reason], ['dead', reason])
        assert.equal(rows[1]?.get('phabricator/T2')?.state, 'done')
      },
    )
  })

  test('that is killed four times by something else gives nothing up', async () => {
    let deaths = 0
    await play(
      () => deaths < 4,
      async ({ start, worker: first, asked, openOnEach, kill, sandbox, dead, settled }) => {
        const all = () => [1, 2, 5].map(asked).reduce((sum, one) => sum + one)
        await openOnEach([1, 2, 5])
        let worker = first
        for (; deaths < 4; deaths++) {
          const before = all()
          await until(() => all() > before, 'something is under way', patience)
          await kill(worker)
          worker = await start('worker')
        }
        await until(() => [1, 2, 5].every((task) => sandbox.phabricator.comments(task).length > 0), 'all comments are there', patience)
        await settled()
        assert.deepEqual(await dead('phabricator'), [])
        assert.deepEqual(
          [1, 2, 5].map((task) => sandbox.phabricator.comments(task).length),
          [1, 1, 1],
        )
      },
    )
  })
})

/** As if two workers had died while it was under way. */
async function suspect({ redis, queues }: Bench, about: string): Promise<void> {
  await redis.hset(queues.phabricator.toKey(effect(about, '').id), 'stc', 2)
}

test('while a suspect is tried nothing else runs in its process, and then all goes on', async () => {
  const bench = benches.open()
  const names = Array.from({ length: 30 }, (_, index) => `e${index}`)
  await bench.dispatch(names.map((about) => effect(about, `lane of ${about}`)))
  for (const about of ['e7', 'e20']) await suspect(bench, about)
  const running = new Set<string>()
  const beside: Record<string, number> = {}
  await bench.start('phabricator', async (about) => {
    running.add(about)
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const one of running) beside[one] = Math.max(beside[one] ?? 0, running.size - 1)
    running.delete(about)
    return done
  })
  await empty(bench)
  assert.deepEqual([beside.e7, beside.e20], [0, 0])
  assert.ok(Math.max(...Object.values(beside)) > 3)
  assert.equal(bench.ended.length, 30)
})

test('a suspect whose attempt fails, or finds the remote down, is no suspect any more', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  await suspect(bench, 'one')
  let calls = 0
  await bench.start('phabricator', async () => {
    if (++calls === 1) throw new Error('no luck')
    return done
  })
  await empty(bench)
  assert.deepEqual([calls, bench.ended], [2, ['one: done']])
})

test('a worker that only lost its lock while it tried a suspect has not died', async () => {
  const bench = benches.open()
  await bench.dispatch([effect('one', 'lane')])
  await suspect(bench, 'one')
  const over = Promise.withResolvers<void>()
  let calls = 0
  const perform = async () => {
    if (++calls === 1) await over.promise
    return done
  }
  await bench.start('phabricator', perform)
  await bench.start('phabricator', perform)
  await until(() => calls === 1, 'it is tried')
  // The one that tries it goes on, and renews a lock that is not its own any more.
  const job = bench.queues.phabricator.toKey(effect('one', '').id)
  const loseLock = async () => {
    await bench.redis.del(`${job}:lock`)
    return (await bench.redis.hget(job, 'stc')) === '3'
  }
  await until(loseLock, 'it counts as stalled', patience)
  await until(() => calls === 2, 'another one has taken it up', patience)
  over.resolve()
  await empty(bench)
  assert.deepEqual(await bench.queues.phabricator.getFailed(), [])
})
