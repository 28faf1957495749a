// Calls that are carried out long after they were given up: what may still be at work is waited for, and only then
// looked for.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newMergeRequest } from '../sandbox/forge.ts'
import { demoProject } from '../sandbox/seed.ts'
import type { Fault, Recorded } from '../sandbox/server.ts'
import type { Environment, Process } from '../support/service.ts'
import { until } from '../support/until.ts'
import { botNotes, type Flow, mergeRequestHook, openFlow, verbs } from './flow.ts'

const callMs = 2000
const settleMs = 6000
const usual: Environment = { CALL_SECONDS: String(callMs / 1000), SETTLE_SECONDS: String(settleMs / 1000), CONCURRENCY: '30' }
const lateMs = callMs + settleMs - 1500
let flow: Flow

before(async () => {
  flow = await openFlow(() => usual)
})
after(() => flow?.close())

/** A task and a merge request with the same number. */
function addPlace(number: number): number {
  flow.sandbox.phabricator.addTask({ id: number, title: 'A task' })
  const merges = flow.sandbox.gitlab.state.projects.find(({ id }) => id === demoProject.id)?.mergeRequests
  merges?.push(newMergeRequest({ iid: number, title: 'Late', author: 'alice', commits: [], files: [{ path: 'docs/README.md' }] }))
  return number
}

const isEdit = (number: number) => (request: Recorded) => request.path === '/api/maniphest.edit' && request.body.includes(`"T${number}"`)
const isNote = (number: number) => (request: Recorded) =>
  request.method === 'POST' && request.path.includes(`/merge_requests/${number}/notes`)

const send = (number: number, action = 'open', state = 'opened') =>
  flow.send(mergeRequestHook(flow, { action, state, description: `Bug: T${number}`, iid: number }))

// What was given up is carried out all the same.
async function allIsDone(): Promise<void> {
  await until(() => flow.sandbox.phabricator.atWork() + flow.sandbox.gitlab.atWork() === 0, 'nothing is at work at the remotes')
  await flow.settled()
}

// None fails before all have begun: the first failure holds the queue, and each after that for twice as long.
const ways: Record<string, Fault> = {
  'the connection breaks, and it is carried out soon': { kind: 'late', soonMs: 800, ms: 3000 },
  'the connection breaks, and it is carried out long after': { kind: 'late', soonMs: 1000, ms: lateMs },
  'a front end answers 502 meanwhile': { kind: 'late', soonMs: 1000, ms: lateMs, status: 502 },
  'a front end answers 503 meanwhile': { kind: 'late', soonMs: 1200, ms: 4000, status: 503 },
  'it was given up, and is carried out soon after': { kind: 'slow', ms: callMs + 500 },
  'it was given up, and is carried out long after': { kind: 'slow', ms: lateMs },
}

describe('a comment and a note are made once, and what comes after them stays behind them, when', () => {
  const places = new Map(Object.keys(ways).map((way, index) => [way, 1000 + index]))
  before(async () => {
    const { phabricator, 'gitlab-mentions': mentions } = flow.queues
    const faults = (isAct: typeof isEdit): Fault[] =>
      Object.entries(ways).map(([way, fault]) => ({ ...fault, times: 1, match: isAct(places.get(way) ?? 0) }))
    flow.sandbox.phabricator.fault(faults(isEdit))
    flow.sandbox.gitlab.fault(faults(isNote))
    // All begin at the same time, before the first failure holds the queue.
    await Promise.all([phabricator.pause(), mentions.pause()])
    for (const number of places.values()) {
      await send(addPlace(number))
      await send(number, 'close', 'closed')
    }
    await until(async () => (await mentions.getWaitingCount()) === places.size, 'all is planned')
    await Promise.all([phabricator.resume(), mentions.resume()])
    await allIsDone()
  })

  for (const [way, number] of places)
    test(way, () => assert.deepEqual([verbs(flow, number), botNotes(flow, demoProject.id, number).length], ['opened closed', 1]))
})

describe('while a comment is being made', () => {
  // As when the lock of the job `id` had run out in Redis, and a worker had looked for such jobs.
  async function letLockRunOut(id: string): Promise<void> {
    const key = (name: string) => flow.queues.phabricator.toKey(name)
    const given = flow.redis
      .multi()
      .del(key(`${id}:lock`))
      .lrem(key('active'), 1, id)
      .rpush(key('wait'), id)
    await given.zadd(key('marker'), 0, '0').exec()
  }

  const blows: Array<{ what: string; strike: (worker: Process) => unknown; limits: Environment }> = [
    // The call stays within its limit.
    { what: 'Redis lets its lock run out', strike: () => undefined, limits: { CALL_SECONDS: '8', SETTLE_SECONDS: '1' } },
    { what: 'its worker is stopped', strike: (worker) => worker.stop(), limits: usual },
    { what: 'its worker is killed', strike: (worker) => worker.kill(), limits: usual },
  ]
  for (const [index, { what, strike, limits }] of blows.entries())
    test(`and ${what}, whoever takes it up makes none`, async () => {
      const number = addPlace(2000 + index)
      const { phabricator } = flow.sandbox
      await flow.worker.stop()
      const victim = await flow.start('worker', limits)
      flow.worker = await flow.start('worker')
      process.kill(flow.worker.pid(), 'SIGSTOP')
      phabricator.fault({ kind: 'slow', ms: lateMs, times: 1, match: isEdit(number) })
      const id = `${await send(number)}/phabricator/T${number}`
      await until(() => phabricator.requests.some(isEdit(number)), 'Phabricator is asked for it')
      process.kill(flow.worker.pid(), 'SIGCONT')
      await strike(victim)
      await letLockRunOut(id)
      const starts = async () => Number(await flow.redis.hget(flow.queues.phabricator.toKey(id), 'ats'))
      await until(async () => (await starts()) > 1, 'it is taken up again')
      await allIsDone()
      assert.equal(verbs(flow, number), 'opened')
      await victim.kill() // or it would take over what the next one is to have
    })
})
