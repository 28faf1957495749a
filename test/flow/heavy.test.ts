// What is too heavy for a worker with the memory that it is given in production: it goes on, and says what it left out.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readHold } from '#shared/queue/hold.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { readProcfile } from '../deploy/procfile.ts'
import { newMergeRequest } from '../sandbox/forge.ts'
import { type Remote, startAnswering } from '../support/answers.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { effectRows, mergeRequestHook } from './flow.ts'

const flags = (readProcfile().get('worker') ?? []).filter((word) => word.startsWith('--'))
const patience = 120_000

let stage: Stage
let ingest: Process
let worker: Process | undefined
before(async () => {
  stage = await openStage({ SINKS_ENABLED: 'phabricator,gitlab-mentions' })
  ingest = await stage.start('ingest')
})
after(() => stage?.close())

/** The only worker from now on. */
async function startWorker(environment: Environment = {}): Promise<Process> {
  await worker?.kill()
  worker = await stage.start('worker', environment, flags)
  return worker
}

/** Sends a hook about the merge request and waits for what it comes to; the worker must live to tell. */
async function outcomeOf(iid: number, name: string, living: Process): Promise<{ state: string; reason: string | null }> {
  const id = `opens-${iid}`
  let isDead = false
  void living.exit.then(() => (isDead = true))
  await post(ingest, mergeRequestHook(stage, { iid, description: '' }), { 'idempotency-key': id })
  const row = await until(
    async () => {
      if (isDead) return 'dead' as const
      const found = (await effectRows(stage, id)).get(name)
      return found && found.state !== 'planned' ? found : undefined
    },
    `${name} has ended`,
    patience,
  )
  if (row === 'dead') throw new Error(`The worker died: ${living.text().slice(-2000)}`)
  return { state: row.state, reason: row.reason }
}

function addMergeRequest(iid: number, messages: string[]): void {
  const at = new Date().toISOString()
  const commits = messages.map((message, index) => ({ id: String(index), message, author: 'alice', createdAt: at }))
  const { gitlab } = stage.sandbox
  gitlab.state.projects.find(({ id }) => id === 42)?.mergeRequests.push(newMergeRequest({ iid, title: 'Heavy', author: 'alice', commits }))
}

const comments = (task: number) => stage.sandbox.phabricator.comments(task).length

test('four thousand commits with messages of 150 KB: the tasks of the newest are commented on', async () => {
  const filler = `${'x'.repeat(99)}\n`.repeat(1500)
  const messages = Array.from({ length: 4000 }, () => `Heavy\n\n${filler}`)
  messages[0] = `Heavy\n\n${filler}\nBug: T2\n`
  messages[150] = `Heavy\n\nBug: T5\n\n${filler}`
  for (const iid of [11, 12, 13]) addMergeRequest(iid, messages)
  const living = await startWorker({ SINKS_ENABLED: 'phabricator' })
  const outcomes = await Promise.all([11, 12, 13].map((iid) => outcomeOf(iid, 'commits/commits', living)))
  assert.deepEqual(new Set(outcomes.map(({ state }) => state)), new Set(['done']))
  await until(() => comments(2) === 3 && comments(5) === 3, 'each has commented on both tasks')
})

// A GitLab that answers each list with pages for ever, of what `item` makes.
async function startEndless(items: Record<string, object>, size: number): Promise<Remote> {
  const pages = Object.entries(items).map(([name, item]) => ({ name, page: JSON.stringify(Array.from({ length: size }, () => item)) }))
  return await startAnswering(({ path }) => {
    const { pathname } = new URL(path, 'http://gitlab.example')
    const found = pages.find(({ name }) => pathname.endsWith(`/${name}`))
    if (found) return { headers: { 'content-type': 'application/json', link: `<${path}>; rel="next"` }, body: found.page }
    if (pathname.endsWith('/user')) return { body: { id: 1, username: 'gitlab-mentions-bot' } }
    return pathname.endsWith('/users') ? { body: [{ id: 2, username: 'bob' }] } : { body: { author: { username: 'alice' } } }
  })
}

test('lists of notes, participants and changed files that do not end: nobody is mentioned, and it is said why', async () => {
  const text = 'x'.repeat(60_000)
  const author = { username: 'gitlab-mentions-bot' }
  const items = {
    notes: { id: 1, body: text, author },
    participants: { id: 3, username: 'grace', bio: text },
    diffs: { new_path: 'p'.repeat(4000), old_path: 'o'.repeat(4000), diff: text },
  }
  await using endless = await startEndless(items, 100)
  stage.sandbox.wiki.save('Git/Reviewers', '== repos/releng/* ==\n{{Gitlab-mention|bob|file_regexp=README}}\n{{Gitlab-mention|carol}}')
  const living = await startWorker({ SINKS_ENABLED: 'gitlab-mentions', GITLAB_URL: endless.url })
  const outcomes = await Promise.all([21, 22, 23, 24].map((iid) => outcomeOf(iid, 'gitlab-mentions/note', living)))
  const reason = 'its notes are too many, or too large, to see whom one of ours mentions already'
  assert.deepEqual(
    outcomes,
    Array.from({ length: 4 }, () => ({ state: 'nothing', reason })),
  )
  assert.ok(!endless.asked.some(({ method }) => method === 'POST'))
})

const million = 1_000_000
const answers = {
  'ten megabytes of `[`': '['.repeat(10 * million),
  'ten megabytes of `[` and `]`': '['.repeat(5 * million) + ']'.repeat(5 * million),
  'seven megabytes of `[`': '['.repeat(7 * million),
  'seven megabytes of `{}`': `[${'{},'.repeat(2.3 * million)}{}]`,
  'seven megabytes of a text of many tasks': JSON.stringify([{ message: `Bug: ${'T1,'.repeat(2 * million)}` }]),
}
let iid = 30
describe('one worker is told too much by GitLab, again and again:', () => {
  let remote: Remote
  let living: Process
  before(async () => {
    remote = await startAnswering({ body: [] })
    living = await startWorker({ SINKS_ENABLED: 'phabricator', GITLAB_URL: remote.url })
  })
  after(() => remote?.[Symbol.asyncDispose]())

  for (const [what, body] of Object.entries(answers)) {
    test(`${what} do not end it, and it goes on when that is over`, async () => {
      remote.answer({ headers: { 'content-type': 'application/json' }, body })
      const before = remote.asked.length
      const ended = outcomeOf(++iid, 'commits/commits', living)
      await until(() => remote.asked.length > before, 'it is asked')
      await until(async () => (await heldOrEnded(iid)) === true, 'it is held, or has ended', patience)
      remote.answer({ body: [{ message: 'Bug: T1' }] })
      assert.ok(['done', 'nothing'].includes((await ended).state))
    })
  }
})

test('a commit that names five thousand tasks brings comments on a thousand', async () => {
  addMergeRequest(++iid, [`Bug: ${Array.from({ length: 5000 }, (_, index) => `T${1000 + index}`).join()}`])
  const living = await startWorker({ SINKS_ENABLED: 'phabricator', DRY_RUN: 'true' })
  assert.equal((await outcomeOf(iid, 'commits/commits', living)).state, 'done')
  const count = async () => [...(await effectRows(stage, `opens-${iid}`)).keys()].filter((name) => name.startsWith('phabricator/')).length
  await until(async () => (await count()) >= 1000, 'they have ended', patience)
  const queue = openQueue({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }, 'phabricator')
  await until(async () => (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) === 0, 'nothing waits')
  assert.equal(await count(), 1000)
})

async function heldOrEnded(iid: number): Promise<boolean> {
  const hold = await readHold(stage.redis, stage.environment.REDIS_PREFIX ?? '', 'commits')
  return hold !== undefined || (await effectRows(stage, `opens-${iid}`)).get('commits/commits')?.state !== 'planned'
}

const mention = (name: string) => `<template><title>Gitlab-mention</title><part><name index="1"/><value>${name}</value></part></template>`
const first = `<h level="2" i="1">== repos/releng/* ==</h>${mention('bob')}`
const megabytes = 12
const filledWith = (piece: (index: number) => string) => {
  const length = Math.floor((megabytes * million) / piece(100_000).length)
  return Array.from({ length }, (_, index) => piece(index)).join('')
}
const nestedIn = (open: string, close: string) => {
  const levels = Math.floor((megabytes * million) / (open.length + close.length))
  return open.repeat(levels) + close.repeat(levels)
}
const trees: Record<string, string> = {
  people: filledWith((index) => mention(`u${index}`)),
  headings: filledWith((index) => `<h level="2" i="1">== a${index} ==</h>`),
  'mistakes in entries': filledWith((index) => mention(`not a name ${index}`)),
  'one template': `<template><title>Gitlab-mention</title>${filledWith((index) => `<part><name>a${index}</name><value/></part>`)}</template>`,
  'one heading': `<h level="2" i="1">${filledWith(() => '<a/>')}</h>`,
  'templates within each other': nestedIn('<template><title>a</title><part><name index="1"/><value>', '</value></part></template>'),
  'tags within each other': nestedIn('<a>', '</a>'),
  'letters beyond Latin': `<template><title>${'é€'.repeat(2.4 * million)}</title></template>`,
}
describe('one worker reads reviewers pages of twelve megabytes, one after another:', () => {
  let living: Process
  before(async () => {
    living = await startWorker({ SINKS_ENABLED: 'gitlab-mentions' })
  })

  for (const [what, tree] of Object.entries(trees)) {
    test(`${what} do not end it, and who is listed before is mentioned`, async () => {
      stage.sandbox.wiki.saveTree('Git/Reviewers', `<root>${first}${tree}</root>`)
      addMergeRequest(++iid, [])
      assert.equal((await outcomeOf(iid, 'gitlab-mentions/note', living)).state, 'done')
      const [note] = stage.sandbox.gitlab.mergeRequest(42, iid).notes
      assert.match(note?.body ?? '', /@bob\b/)
    })
  }
})
