// Gathers what the remotes, the feed, the queues and the journal hold at the end of a round, and has the oracle judge it.
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { compareCursors } from '#shared/event/cursor.ts'
import type { Database } from '#shared/journal/database.ts'
import { readJson } from '#shared/process/json.ts'
import { type QueueName, queueNames } from '#sinks/queues.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { until } from '../support/until.ts'
import type { Sent } from './client.ts'
import { isUnderReview, join, judge, judgeFeed, judgeNotes, type Verdict, wantedComments } from './oracle.ts'
import type { Follower } from './readers.ts'

type Parts = {
  sent: Sent[]
  sandbox: Sandbox
  redis: Redis
  stream: string
  queues: Record<QueueName, Queue>
  database: Database
  followers: Follower[]
  /** Whether comments must be in order: not where several ingest processes share a spool. */
  inOrder: boolean
  /** Takes what is wrong in other ways. */
  wrong: string[]
}

const messageSchema = z.looseObject({ meta: z.object({ id: z.string() }) })

export async function findings({ sent, sandbox, redis, stream, queues, database, followers, inOrder, wrong }: Parts): Promise<Verdict> {
  for (const name of queueNames)
    for (const job of await queues[name].getFailed()) wrong.push(`dead in ${name}: ${job.id} (${job.failedReason})`)

  const log = (await redis.xrange(stream, '-', '+')).map(([cursor, [, message = '']]) => ({ cursor, message }))
  const ids = log.map(({ message }) => messageSchema.parse(readJson(message)).meta.id)
  await Promise.all(
    followers.map((follower, index) =>
      compareWith(log, follower).catch((error: unknown) => wrong.push(`follower ${index}: ${String(error)}`)),
    ),
  )
  wrong.push(...(await journalGaps(sent, database)))
  if (sandbox.phabricator.state.madeByMistake.length > 0) wrong.push('tasks were made by mistake')
  wrong.push(...underReview(sandbox))

  const excused = await placesThatWentAhead(sent, database)
  const verdict = join([
    judgeComments(sent, sandbox, excused),
    judgeFeed(sent, ids),
    judgeNotes(sent, (address) => notesOn(sandbox, address)),
  ])
  return inOrder ? verdict : { ...verdict, disordered: [] }
}

async function compareWith(log: Array<{ cursor: string; message: string }>, follower: Follower): Promise<void> {
  const gaps = () => gapsAtBeginning(follower, log[0]?.cursor)
  const own = () => follower.cursors.length - gaps()
  await until(() => own() >= log.length, `the follower has seen ${log.length} messages`).catch((error: unknown) => {
    throw new Error(`${String(error)} It saw ${own()}.`)
  })
  const cursors = follower.cursors.slice(gaps())
  const data = follower.data.slice(gaps())
  const at = cursors.findIndex((cursor, index) => log[index]?.cursor !== cursor || log[index]?.message !== data[index])
  if (at < 0 && log.length === cursors.length) return
  const here = `${cursors[at]} ${data[at]?.slice(0, 100)} instead of ${log[at]?.cursor}`
  throw new Error(`saw another sequence than the log: ${cursors.length} of ${log.length} messages, at ${at} ${here}`)
}

// When the database was away as the first message of all was published, nobody knew whether there had been others. Such a
// gap lies before that message, and so covers none that there was.
function gapsAtBeginning({ cursors, data }: Follower, first = '0-0'): number {
  const [gapTo] = cursors
  return gapTo !== undefined && data[0] === JSON.stringify({ from: '0-0', to: gapTo }) && compareCursors(gapTo, first) < 0 ? 1 : 0
}

// Where a comment did not wait any longer for what earlier commits name, and said so, it may be out of order.
async function placesThatWentAhead(sent: Sent[], database: Database): Promise<Set<string>> {
  const query = database.selectFrom('effects').select(['delivery', 'task']).where('reason', 'like', '%went ahead after a minute%')
  const strands = new Map(sent.map(({ strand, delivery }) => [delivery.key, strand.name]))
  return new Set((await query.execute()).map(({ delivery, task }) => `T${task} ${strands.get(delivery)}`))
}

function underReview({ phabricator }: Sandbox): string[] {
  const isOn = (id: number) => phabricator.projects(id).length > 0
  const wrong = phabricator.state.tasks.filter(({ id }) => isOn(id) !== isUnderReview(phabricator.comments(id)))
  return wrong.map(({ id }) => `T${id} is ${isOn(id) ? '' : 'not '}under review: ${phabricator.comments(id).join(' | ')}`)
}

function judgeComments(sent: Sent[], sandbox: Sandbox, excused: Set<string>): Verdict {
  const wanted = wantedComments(sent)
  const found = new Map<string, string[]>()
  for (const { id } of sandbox.phabricator.state.tasks) {
    for (const text of sandbox.phabricator.comments(id)) {
      const place = `T${id} ${text.split('\n')[0]?.split(' ').at(-1)}`
      found.set(place, [...(found.get(place) ?? []), text])
    }
  }
  const places = new Set([...wanted.keys(), ...found.keys()])
  const verdicts = [...places].map((place) => {
    const verdict = judge(place, wanted.get(place) ?? [], found.get(place) ?? [])
    return excused.has(place) ? { ...verdict, doubled: [], disordered: [] } : verdict
  })
  return join(verdicts)
}

function notesOn(sandbox: Sandbox, address: string): number {
  const merges = sandbox.gitlab.state.projects.flatMap(({ path, mergeRequests }) =>
    mergeRequests.map((merge) => ({ merge, url: `${sandbox.gitlab.url}/${path}/-/merge_requests/${merge.iid}` })),
  )
  const notes = merges.find(({ url }) => url === address)?.merge.notes ?? []
  return notes.filter(({ author }) => author === sandbox.gitlab.state.bot).length
}

async function journalGaps(sent: Sent[], database: Database): Promise<string[]> {
  const rows = await database.selectFrom('deliveries').select('id').execute()
  const known = new Set(rows.map(({ id }) => id))
  const missing = sent.filter(({ delivery, accepted }) => accepted && !known.has(delivery.key))
  const open = await database.selectFrom('effects').select(['id', 'state']).where('state', 'in', ['planned', 'dead']).execute()
  return [
    ...missing.map(({ delivery }) => `not in the journal: ${delivery.key}`),
    ...open.map(({ id, state }) => `${state} in the journal: ${id}`),
  ]
}
