// The operator's commands through the real binary: what happened, why, and what can be repaired.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { hook, hookText } from '../support/fixtures.ts'
import { ops } from '../support/ops.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let worker: Process

before(async () => {
  stage = await openStage()
  ingest = await stage.start('ingest')
  worker = await stage.start('worker')
})
after(() => stage?.close())

const deadSchema = z.looseObject({
  story: z.looseObject({ effects: z.array(z.looseObject({ task: z.string().nullable(), attempts: z.array(z.json()) })) }),
})
const rows = z.array(z.record(z.string(), z.unknown()))
async function list(...args: string[]): Promise<Array<Record<string, unknown>>> {
  const said = await ops(stage.environment, ...args, '--json')
  assert.equal(said.code, 0, said.err)
  return rows.parse(JSON.parse(said.out))
}

async function deliver(id: string, body: string | object): Promise<void> {
  assert.equal((await post(ingest, body, { 'idempotency-key': id })).status, 202)
}

let closed = 0

// A merge request whose description names a task that does not exist, closed another time.
function namingTask(task: string): string {
  const text = hookText('merge-request-close', stage.sandbox.gitlab.url).replaceAll('Bug: T1', `Bug: ${task}`)
  return text.replaceAll('10:05:00 UTC', `10:05:${String(closed++).padStart(2, '0')} UTC`)
}

const ended = async (id: string) => {
  const effects = await stage.database.selectFrom('effects').select('state').where('delivery', '=', id).execute()
  return effects.length > 0 && effects.every(({ state }) => state !== 'planned')
}

test('explain tells what each sink decided, each failed attempt, and the outcome with its address', async () => {
  await deliver('opened', hookText('merge-request-open', stage.sandbox.gitlab.url))
  await until(() => ended('opened'), 'it has ended')
  const said = await ops(stage.environment, 'explain', 'opened', '--json')
  const story = z
    .looseObject({
      decisions: rows,
      effects: z.array(
        z.looseObject({
          sink: z.string(),
          task: z.string().nullable(),
          attempts: rows,
          outcome: z.looseObject({ state: z.string(), link: z.string().nullable() }),
        }),
      ),
    })
    .parse(JSON.parse(said.out))
  assert.deepEqual(story.decisions.map(({ sink, reason }) => [sink, String(reason)].join(' ')).toSorted(), [
    'commits null',
    'gitlab-mentions null',
    'phabricator null',
    'sse null',
  ])
  const comment = story.effects.find(({ task }) => task === 'T1')
  assert.equal(comment?.outcome.state, 'done')
  assert.equal(comment?.outcome.link, `${stage.sandbox.phabricator.url}/T1`)
  assert.deepEqual(comment?.attempts, [])

  const words = await ops(stage.environment, 'explain', 'opened')
  assert.match(words.out, /^opened: [12] comments? made \(T1(, T2)?\); 1 note made; 1 feed message made\.\n/)
  assert.match(words.out, /What each sink decided[\s\S]*What came of it[\s\S]*phabricator T1: .*done/)
})

test('explain tells of each delivery of a merge request, one sentence first, and what it means that a project is private', async () => {
  await deliver('hidden', hookText('merge-request-private', stage.sandbox.gitlab.url).replace('Bug: T1', '**Bug:** T142'))
  await until(() => ended('hidden'), 'it has ended')
  const { out, code } = await ops(stage.environment, 'explain', 'repos/releng/secret-demo!1')
  assert.equal(code, 0)
  const [first = ''] = out.split('\n')
  assert.match(
    first,
    /^repos\/releng\/secret-demo!1: no comment: no `Bug:` line in the .*; 1 note made; no feed message: the project is private\. \(Of 1 delivery, the last \d+s ago\.\)$/,
  )
  assert.match(out, /phabricator: nothing, no `Bug:` line in the description: “\*\*Bug:\*\* T142” is none/)
  assert.match(out, /The project is private: a comment has only its first line, .*; the feed has nothing of it/)
  const stories = rows.parse(JSON.parse((await ops(stage.environment, 'explain', 'repos/releng/gitlab-demo!1', '--json')).out))
  assert.deepEqual(
    stories.map(({ id, privacy }) => [id, privacy]),
    [['opened', null]],
  )
})

test('where there is nothing to explain it says what to look at next', async () => {
  const { code, err } = await ops(stage.environment, 'explain', 'repos/releng/gitlab-demo!999')
  assert.equal(code, 1)
  for (const next of [
    "deliveries --project 'repos/releng/gitlab-demo'",
    'reconcile --since 2h --dry-run',
    "deliveries --text 'gitlab-demo'",
  ])
    assert.ok(err.includes(`bin/ops ${next}`), err)
})

test('explain tells why nothing came of a delivery', async () => {
  await deliver('pushed', {
    ...hook('push'),
    project: { ...z.record(z.string(), z.json()).parse(hook('push').project), visibility_level: 0 },
  })
  await until(async () => (await list('deliveries', '--kind', 'push')).length === 1, 'it is in the journal')
  const said = await until(async () => {
    const answer = await ops(stage.environment, 'explain', 'pushed')
    return answer.out.includes('sse: nothing') ? answer : undefined
  }, 'so is what was decided on it')
  assert.match(said.out, /sse: nothing, the project is private/)
  assert.match(said.out, /phabricator: nothing, not about a merge request/)
  const unknown = await ops(stage.environment, 'explain', 'unknown')
  assert.equal(unknown.code, 1)
  assert.match(unknown.err, /^unknown: no such delivery in the journal[\s\S]*bin\/ops deliveries --limit 10/)
})

test('dead letters are listed, grouped by error, and one is shown whole', async () => {
  await deliver('dead-1', namingTask('T9991'))
  await deliver('dead-2', namingTask('T9992'))
  await until(async () => (await list('dead')).length === 2, 'both are dead letters')
  const letters = await list('dead', '--sink', 'phabricator')
  assert.deepEqual(letters.map(({ delivery, task }) => [delivery, task].join(' ')).toSorted(), ['dead-1 T9991', 'dead-2 T9992'])
  assert.deepEqual(await list('dead', '--task', 'T9991').then((found) => found.map(({ delivery }) => delivery)), ['dead-1'])

  const groups = await list('dead', 'groups')
  assert.deepEqual(
    groups.map(({ count }) => count),
    [2],
    'the number of the task does not make another error',
  )
  assert.match(
    String(groups[0]?.error),
    /^No such task, or our account may not see it\. Phabricator says ERR-.*does not (exist|identify a valid object)/,
  )
  const shown = async () =>
    deadSchema.parse(JSON.parse((await ops(stage.environment, 'dead', 'show', String(letters[0]?.id), '--json')).out))
  const attempts = async () => (await shown()).story.effects.find(({ task }) => task === letters[0]?.task)?.attempts
  await until(async () => (await attempts())?.length === 1, 'the attempt that failed is in the journal')
})

test('a dry run changes nothing; a replay of an error group makes what can be made, once', async () => {
  const [group] = await list('dead', 'groups')
  const plans = await list('replay', '--group', String(group?.id), '--dry-run')
  const fails = (task: string) => plans.some(({ would }) => String(would).startsWith(`would comment on ${task}, and fail again: `))
  assert.ok(plans.length === 2 && fails('T9991') && fails('T9992'))
  assert.equal((await list('dead')).length, 2)

  stage.sandbox.phabricator.addTask({ id: 9991, title: 'Made later' })
  const said = await ops(
    stage.environment,
    'replay',
    '--group',
    String(group?.id),
    '--rate',
    '100',
    '--reason',
    'the task is there now',
    '--json',
  )
  const { chosen, replayed, failedAgain } = JSON.parse(said.out)
  assert.deepEqual({ chosen, replayed, failedAgain }, { chosen: 2, replayed: 2, failedAgain: 1 })
  assert.equal(said.code, 1, 'one failed again')
  assert.equal(stage.sandbox.phabricator.comments(9991).length, 1)
  await until(async () => (await list('dead')).length === 1, 'the other one is dead again')
})

test('a discarded dead letter is gone from the list and stays in the journal', async () => {
  const [letter] = await list('dead')
  assert.equal((await ops(stage.environment, 'discard', String(letter?.id), '--reason', 'never mind')).code, 0)
  assert.deepEqual(await list('dead'), [])
  assert.deepEqual(await list('deliveries', '--state', 'discarded').then((found) => found.map(({ id }) => id)), ['dead-2'])
})

test('a paused sink waits, in order, and goes on when it is resumed', async () => {
  assert.equal((await ops(stage.environment, 'pause', 'phabricator', '--reason', 'maintenance')).code, 0)
  await deliver('while-paused', hookText('merge-request-merge', stage.sandbox.gitlab.url))
  const explained = async () => (await ops(stage.environment, 'explain', 'while-paused')).out
  await until(async () => (await explained()).includes(' waiting ('), 'it is routed')
  assert.match(await explained(), /^while-paused: [12] comments? waiting \(T1(, T2)?\): phabricator was paused by an operator; 0 before it/)
  const status = JSON.parse((await ops(stage.environment, 'status', '--json')).out)
  const queue = z
    .array(z.looseObject({ id: z.string(), paused: z.boolean(), waiting: z.number() }))
    .parse(status.queues)
    .find(({ id }) => id === 'phabricator')
  assert.equal(queue?.paused, true)
  assert.ok((queue?.waiting ?? 0) > 0)
  const pausedBy = z.object({ who: z.string(), reason: z.literal('maintenance') }).parse(queue?.pausedBy)
  const row = async () => (await ops(stage.environment, 'status')).out.split('\n').find((line) => line.startsWith('phabricator '))
  assert.ok((await row())?.endsWith(` paused by ${pausedBy.who}: maintenance`))
  assert.match((await ops(stage.environment, 'doctor')).out, /phabricator is paused by .*: maintenance/)
  assert.equal((await ops(stage.environment, 'resume', 'phabricator', '--reason', 'it is over')).code, 0)
  await until(() => ended('while-paused'), 'it went on')
  assert.match((await row()) ?? '', / running$/)
  const paused = `{${stage.environment.REDIS_PREFIX}}:phabricator:meta`
  await stage.redis.hset(paused, 'paused', '1')
  assert.match((await row()) ?? '', / paused$/, 'who paused it without a word is not known')
  await stage.redis.hdel(paused, 'paused')
})

test('filters choose by project, merge request, time and text', async () => {
  const ids = async (...args: string[]) => (await list('deliveries', ...args)).map(({ id }) => String(id)).toSorted()
  assert.deepEqual(await ids('--project', 'repos/releng/*', '--kind', 'merge_request', '--id', 'dead'), ['dead-1', 'dead-2'])
  const ofOne = await list('deliveries', '--mr', 'repos/releng/gitlab-demo!1')
  assert.ok(ofOne.some(({ id }) => id === 'opened'))
  assert.ok(
    ofOne.every(({ mr }) => mr === 'repos/releng/gitlab-demo!1'),
    'a merge request is told as it is asked for',
  )
  assert.deepEqual(await ids('--mr', 'repos/releng/gitlab-demo!999'), [])
  assert.deepEqual(await ids('--until', '1h'), [])
  assert.ok((await ids('--since', '1h', '--text', 'alice')).includes('opened'))
  assert.equal((await ids('--limit', '1')).length, 1)
})

test('a queue on hold shows in the status and in the metrics, with the reason and the time, and asks at once when it is told to', async () => {
  stage.sandbox.phabricator.fault({ kind: 'status', status: 503, headers: { 'retry-after': '3000' } })
  await deliver('while-down', hookText('merge-request-reopen', stage.sandbox.gitlab.url))
  const metrics = async () => await (await fetch(`http://127.0.0.1:${worker.port()}/metrics`)).text()
  const held = /queue_held_seconds\{queue="phabricator",refused="false",remote="phabricator"\} (?!0\n)\d/
  await until(async () => held.test(await metrics()), 'the hold is in the metrics')
  assert.match(
    (await ops(stage.environment, 'status')).out,
    /phabricator .*on hold: Phabricator answers 503.* \(for \d+[smh], asks again in (2\d\d\d|3000) s\)/,
  )
  stage.sandbox.phabricator.fault(undefined)
  const waits = await ops(stage.environment, 'resume', 'phabricator', '--reason', 'it is back')
  assert.match(waits.out, /^phabricator is not paused, but on hold: it asks again in (2\d\d\d|3000) s; --now asks at once\n$/)
  const asks = await ops(stage.environment, 'resume', 'phabricator', '--now', '--reason', 'it is back')
  assert.match(asks.out, /asks again now|is running/)
  await until(() => ended('while-down'), 'it went on')
  await until(async () => !held.test(await metrics()), 'the hold is gone from the metrics')
})
