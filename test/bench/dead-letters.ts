// Dead letters in great number, made in the journal and in Redis as the service leaves them there, only faster: comments
// on tasks of the sandbox that can be made now.
import { Queue } from 'bullmq'
import { type Effect, effectId } from '#shared/event/effect.ts'
import { migrate } from '#shared/journal/database.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import type { Stage } from '../support/stage.ts'

const tasks = 1000
const firstTask = 20_000
const perStep = 1000

/** Makes `count` letters, each of another merge request. */
export async function makeDeadLetters({ database, redis, environment, sandbox }: Stage, count: number): Promise<void> {
  await migrate(database)
  for (let at = 0; at < tasks; at++) sandbox.phabricator.addTask({ id: firstTask + at, title: 'A task' })
  const queue = new Queue('phabricator', { connection: redis, prefix: keyPrefix(environment.REDIS_PREFIX ?? '') }).on(
    'error',
    () => undefined,
  )
  const long = Date.now() - 3_600_000
  for (let from = 0; from < count; from += perStep) {
    const numbers = Array.from({ length: Math.min(perStep, count - from) }, (_, index) => from + index)
    const effects = numbers.map((number) => letter(number, sandbox.gitlab.url, new Date(long + number)))
    const died = new Date()
    await database
      .insertInto('effects')
      .values(effects.map((effect) => row(effect, died)))
      .execute()
    const jobs = redis.pipeline()
    for (const effect of effects) {
      const fixed = {
        name: 'effect',
        data: JSON.stringify(effect),
        opts: '{"attempts":8,"backoff":{"type":"custom"}}',
        priority: 0,
        delay: 0,
      }
      const ended = { timestamp: long, atm: 8, ats: 8, processedOn: long, finishedOn: died.getTime(), failedReason: 'It was made to fail.' }
      jobs.hset(queue.toKey(effect.id), { ...fixed, ...ended, stacktrace: '[]' }).zadd(queue.toKey('failed'), died.getTime(), effect.id)
    }
    await jobs.exec()
  }
}

function letter(number: number, gitlabUrl: string, since: Date): Effect {
  const task = firstTask + (number % tasks)
  const delivery = `dead-${String(number).padStart(6, '0')}`
  const text = `alice closed ${gitlabUrl}/repos/releng/gitlab-demo/-/merge_requests/${number}`
  const order = `42!${number} T${task}`
  return {
    id: effectId(delivery, 'phabricator', `T${task}`),
    delivery,
    sink: 'phabricator',
    order,
    since: since.toISOString(),
    data: { task, text },
  }
}

function row({ id, delivery, order, since }: Effect, died: Date) {
  const task = Number(id.split('/T')[1])
  const caused = { since: new Date(since), received_at: new Date(since), kind: 'merge_request' }
  return { id, delivery, sink: 'phabricator', order_key: order, task, ...caused, state: 'dead' as const, reason: 'It was made to fail.', error: '0123456789ab', attempts: 8, ended_at: died } // biome-ignore format: a row
}
