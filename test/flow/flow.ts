// What the tests of the whole service have in common: hooks that tell of the sandbox's world as of now, and waiting.
import { Queue } from 'bullmq'
import type { JsonObject } from '#shared/process/json.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { type QueueName, queueNames } from '#sinks/queues.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import type { Environment, Process } from '../support/service.ts'
import { untilSettled } from '../support/settled.ts'
import { openStage, post, type Stage } from '../support/stage.ts'

export type Flow = Stage & {
  ingest: Process
  worker: Process
  queues: Record<QueueName, Queue>
  /** Posts a hook as GitLab does; its delivery id. */
  send: (body: object, id?: string) => Promise<string>
  /** Waits until nothing waits in the queues, or what waits is held. */
  settled: (names?: readonly QueueName[]) => Promise<void>
  /** Of each dead letter its id and reason. */
  dead: (name: QueueName) => Promise<Array<{ id: string; reason: string }>>
}

/** The whole service on a stage of its own, already working; `more` is what it has in its environment besides. */
export async function openFlow(more: (stage: Stage) => Environment | Promise<Environment> = () => ({})): Promise<Flow> {
  const stage = await openStage()
  const environment = await more(stage)
  const [ingest, worker] = await Promise.all([stage.start('ingest', environment), stage.start('worker', environment)])
  const prefix = stage.environment.REDIS_PREFIX ?? ''
  const open = (name: QueueName) => new Queue(name, { connection: stage.redis, prefix: keyPrefix(prefix) }).on('error', () => undefined)
  const queues = Object.fromEntries(queueNames.map((name) => [name, open(name)])) as Record<QueueName, Queue>
  return {
    ...stage,
    environment: { ...stage.environment, ...environment },
    start: (app, further = {}) => stage.start(app, { ...environment, ...further }),
    ingest,
    worker,
    queues,
    async send(body, id = `hook-${sent++}`) {
      const answer = await post(ingest, body, { 'idempotency-key': id })
      if (answer.status !== 202) throw new Error(`Ingest answers ${answer.status}: ${await answer.text()}`)
      return id
    },
    settled: (names) => untilSettled(queues, { redis: stage.redis, prefix }, names),
    async dead(name) {
      const jobs = await queues[name].getFailed()
      return jobs.map(({ id = '', failedReason }) => ({ id, reason: failedReason ?? '' }))
    },
  }
}

let sent = 1
let newestMs = 0

/** A fixture of this moment, and of no other's, with other attributes of the merge request. */
export function mergeRequestHook(flow: Stage, attributes: object = {}, name = 'merge-request-open'): JsonObject & { changes: object } {
  const body = hook(name, flow.sandbox.gitlab.url)
  const { object_attributes, changes } = body
  if (!isObject(object_attributes)) throw new Error(`${name} is not about a merge request.`)
  newestMs = Math.max(Date.now(), newestMs + 1)
  const updated_at = new Date(newestMs).toISOString()
  return {
    ...body,
    changes: isObject(changes) ? changes : {},
    object_attributes: Object.assign({}, object_attributes, { updated_at }, attributes),
  }
}

/** The verbs of the comments on a task, oldest first: `opened closed`. */
export function verbs({ sandbox }: Stage, task: number): string {
  return sandbox.phabricator
    .comments(task)
    .map((text) => text.split(' ')[1])
    .join(' ')
}

/** The journal's rows of a delivery's effects, by what they are about: `phabricator/T1`. */
export async function effectRows({ database }: Stage, delivery: string) {
  const rows = await database.selectFrom('effects').selectAll().where('delivery', '=', delivery).execute()
  return new Map(rows.map((row) => [row.id.slice(delivery.length + 1), row]))
}

/** The lines in which a worker says that it holds a queue. */
export function holding({ lines }: Process, queue: QueueName) {
  return lines.filter((line) => line.msg === 'holding' && line.queue === queue)
}

export function botNotes({ sandbox }: Stage, project = 42, iid = 1): string[] {
  const { gitlab } = sandbox
  return gitlab.mergeRequest(project, iid).notes.flatMap(({ author, body }) => (author === gitlab.state.bot ? [body] : []))
}
