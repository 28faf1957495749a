// Two deliveries of one merge request, and a worker that is killed at one step of their way; another one takes over.
// What is there in the end must be what is there without any kill.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { openDatabase } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'
import { deliveryJobId, keyPrefix, patientRedis } from '#shared/queue/queues.ts'
import { openQueues, queueNames } from '#sinks/queues.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import type { Fault } from '../sandbox/server.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import { openRedisProxy } from '../support/redis-proxy.ts'
import { environmentFor, type Process, startReady } from '../support/service.ts'
import { untilSettled } from '../support/settled.ts'
import { until } from '../support/until.ts'
import type { Step } from './steps.ts'

export type Side = 'before' | 'after'
export type Servers = { redisUrl: string; databaseUrl: string }

const messageSchema = z.looseObject({ meta: z.object({ id: z.string() }) })

/** Kills a worker on one `side` of `step`; throws where what is there in the end is not what should be. */
export async function strikeAt(step: Step, side: Side, { redisUrl, databaseUrl }: Servers): Promise<void> {
  await using releases = new AsyncDisposableStack()
  const sandbox = releases.use(await startSandbox())
  seed(sandbox)
  const prefix = `step-${randomBytes(4).toString('hex')}`
  const review = { PHABRICATOR_REVIEW_PROJECT: sandbox.phabricator.addProject({ name: 'Patch-For-Review' }).phid }
  const environment = { ...environmentFor({ sandbox, redisUrl, databaseUrl }), REDIS_PREFIX: prefix, ...review }

  let victim: Process | undefined
  let armed = false
  let struck = false
  const strike = () => {
    struck = true
    armed = false
    if (victim) process.kill(victim.pid(), 'SIGKILL')
  }
  const look = (command: string[]) => (armed && 'command' in step && step.command.test(command.join(' ')) ? side : 'pass')
  const proxy = await openRedisProxy({ redisUrl, look, strike })
  releases.defer(proxy.close)
  if ('remote' in step) sandbox[step.remote].fault(striking(step.path, side, () => armed, strike))

  victim = await startReady('worker', { ...environment, REDIS_URL: proxy.url })
  releases.defer(victim.kill)
  const redis = patientRedis(redisUrl)
  releases.defer(() => redis.disconnect())
  const queues = openQueues({ redis, prefix })
  armed = true
  const ids = ['merge-request-open', 'merge-request-close'].map((name) => `${prefix}-${name}`)
  for (const [index, name] of ['merge-request-open', 'merge-request-close'].entries()) {
    const id = ids[index] ?? ''
    const body = hook(name, sandbox.gitlab.url)
    const attributes = { ...(isObject(body.object_attributes) && body.object_attributes), updated_at: new Date().toISOString() }
    const delivery = {
      id,
      receivedAt: new Date().toISOString(),
      headers: {},
      body: JSON.stringify({ ...body, object_attributes: attributes }),
      ...(step.again && { again: true }),
    }
    await queues.deliveries.add('delivery', delivery, { jobId: deliveryJobId(id) })
  }
  await until(() => struck, `the worker comes to ${step.name}`)
  const next = await startReady('worker', environment)
  releases.defer(next.kill)
  await untilSettled(queues, { redis, prefix })

  for (const task of [1, 2]) assert.deepEqual(sandbox.phabricator.comments(task).map(verbOf), ['opened', 'closed'], `comments on T${task}`)
  for (const task of [1, 2]) {
    const changes = sandbox.phabricator.task(task).transactions.filter(({ type }) => type === 'projects')
    assert.deepEqual([changes.length, sandbox.phabricator.projects(task)], [2, []], `the review project on T${task}`)
  }
  const notes = sandbox.gitlab.state.projects.flatMap(({ mergeRequests }) => mergeRequests.flatMap((merge) => merge.notes))
  assert.equal(notes.filter(({ author }) => author === sandbox.gitlab.state.bot).length, 1, 'notes')
  const log = await redis.xrange(`${keyPrefix(prefix)}:feed`, '-', '+')
  assert.deepEqual(
    log.map(([, [, message = '']]) => messageSchema.parse(readJson(message)).meta.id),
    ids,
    'the feed',
  )
  for (const name of queueNames) assert.equal(await queues[name].getFailedCount(), 0, `dead letters in ${name}`)

  const database = openDatabase(databaseUrl)
  releases.defer(() => database.destroy())
  const told = await database.selectFrom('deliveries').select('id').where('id', 'in', ids).execute()
  assert.equal(told.length, 2, 'deliveries in the journal')
  // Of a note that was made by a worker that died it is known only that it need not be made again.
  const effects = await database.selectFrom('effects').select(['sink', 'state']).where('delivery', 'in', ids).execute()
  const ends = new Set(effects.map(({ sink, state }) => (sink === 'gitlab-mentions' && state === 'nothing' ? 'done' : state)))
  assert.deepEqual([...ends], ['done'], 'effects in the journal')
}

function striking(path: RegExp, side: Side, armed: () => boolean, strike: () => void): Fault {
  const match: Fault['match'] = (request) => {
    const hit = armed() && path.test(request.path) && (!request.path.includes('/notes') || request.method === 'POST')
    if (hit) strike()
    return hit
  }
  return { kind: side === 'before' ? 'refuse' : 'commit-then-drop', match }
}

function verbOf(comment: string): string {
  return comment.split(' ')[1] ?? ''
}
