// While a remote is down its queue waits, in order, as long as it takes, and the others go on.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { QueueName } from '#sinks/queues.ts'
import { type Door, openDoor } from '../support/door.ts'
import type { Reader } from '../support/feed.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { until } from '../support/until.ts'
import { botNotes, effectRows, type Flow, holding, mergeRequestHook, openFlow, verbs } from './flow.ts'

let flow: Flow
let feed: Reader
let database: Door

before(async () => {
  flow = await openFlow(async (stage) => {
    database = await openDoor(stage.databaseUrl)
    stage.defer(() => database.close())
    return { DATABASE_URL: database.url }
  })
  feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
})
after(async () => {
  feed?.close()
  await flow?.close()
})

const others = (...down: QueueName[]) =>
  (['deliveries', 'phabricator', 'commits', 'gitlab-mentions', 'sse'] as const).filter((name) => !down.includes(name))

// Each test has a task of its own, a merge request without notes, and a healthy world to begin with.
let task = 100
beforeEach(async () => {
  const { gitlab, phabricator } = flow.sandbox
  await heal()
  await flow.settled()
  task += 1
  phabricator.addTask({ id: task, title: 'A task' })
  const merge = gitlab.mergeRequest(42, 1)
  merge.notes = []
  merge.commits = [{ id: 'c', message: `x\n\nBug: T${task + 500}`, author: 'alice', createdAt: merge.createdAt }]
  phabricator.addTask({ id: task + 500, title: 'A task of a commit' })
})

// After a test that failed halfway, too.
async function heal(): Promise<void> {
  const { gitlab, phabricator, wiki } = flow.sandbox
  phabricator.state.mode = gitlab.state.mode = 'normal'
  phabricator.state.tokens.set(phabricator.token, { account: phabricator.state.accounts[0]?.phid ?? '', expired: false })
  gitlab.state.token.state = 'active'
  phabricator.fault(undefined)
  await Promise.all([phabricator.up(), gitlab.up(), wiki.up(), database.open()])
}

const send = (action = 'open', state = 'opened') => flow.send(mergeRequestHook(flow, { action, state, description: `Bug: T${task}` }))

async function isHeld(queue: QueueName, before_: number): Promise<void> {
  await until(() => holding(flow.worker, queue).length > before_, `${queue} is held`)
}

describe('while Phabricator', () => {
  type Trouble = { begin: () => unknown; end: () => unknown; says: RegExp }
  const phabricator = () => flow.sandbox.phabricator
  const mode = (name: 'normal' | 'read-only' | 'database-down' | 'rate-limited') => {
    phabricator().state.mode = name
  }
  const troubles: Record<string, Trouble> = {
    'closes every connection': {
      begin: () => phabricator().fault({ kind: 'refuse' }),
      end: () => phabricator().fault(undefined),
      says: /cannot be reached/,
    },
    'is not there': { begin: () => phabricator().down(), end: () => phabricator().up(), says: /ECONNREFUSED/ },
    'is read-only': { begin: () => mode('read-only'), end: () => mode('normal'), says: /read-only mode/ },
    'has no database': { begin: () => mode('database-down'), end: () => mode('normal'), says: /500 without a Conduit answer/ },
    'limits our rate': { begin: () => mode('rate-limited'), end: () => mode('normal'), says: /answers 429/ },
  }

  for (const [what, { begin, end, says }] of Object.entries(troubles)) {
    test(`${what}, comments wait, note and feed go on; then all comments come, once and in order`, async () => {
      const heldBefore = holding(flow.worker, 'phabricator').length
      await begin()
      const ids = [await send('open'), await send('close', 'closed'), await send('reopen')]
      await flow.settled(others('phabricator'))
      await isHeld('phabricator', heldBefore)
      assert.equal(botNotes(flow).length, 1)
      await until(() => feed.messages.some(({ data }) => data.includes(`"${ids[2]}"`)), 'the feed goes on')
      assert.equal(verbs(flow, task), '')
      assert.match(String(holding(flow.worker, 'phabricator').at(-1)?.reason), says)
      const waiting = await flow.queues.phabricator.getJob(`${ids[0]}/phabricator/T${task}`)
      assert.equal(waiting?.attemptsMade, 0)

      await end()
      await flow.settled()
      assert.deepEqual([verbs(flow, task), verbs(flow, task + 500)], ['opened closed reopened', 'opened closed reopened'])
      for (const id of ids) assert.equal((await effectRows(flow, id)).get(`phabricator/T${task}`)?.attempts, 1)
      assert.deepEqual(await flow.dead('phabricator'), [])
    })
  }

  test('answers 503, explain says since when a comment waits, for what, and behind how many', async () => {
    const heldBefore = holding(flow.worker, 'phabricator').length
    phabricator().fault({ kind: 'status', status: 503 })
    const [first, second] = [await send('open'), await send('close', 'closed')]
    await isHeld('phabricator', heldBefore)
    const ofCommits = `phabricator/T${task + 500}`
    for (const id of [first, second])
      await until(async () => (await effectRows(flow, id)).get(ofCommits)?.state === 'planned', 'all of it is in the journal')
    const { out } = await ops(flow.environment, 'explain', second)
    const reason = String.raw`Phabricator is on hold since (?:[\d-]{10} )?\d\d:\d\d UTC, it answers 503; 2 before it`
    assert.match(out, new RegExp(`^${second}: 2 comments waiting \\(T${task}, T${task + 500}\\): ${reason}`))
    assert.match(out, new RegExp(`phabricator T${task}: on hold +${reason}`))
    const page = `http://127.0.0.1:${flow.ingest.port()}/merge-requests/repos/releng/gitlab-demo/1`
    const told = await fetch(page, { headers: { accept: 'application/json' } })
    assert.match(await told.text(), new RegExp(reason), 'everybody is told the same')
    phabricator().fault(undefined)
    await flow.settled()
    assert.deepEqual([verbs(flow, task), (await effectRows(flow, first)).get(`phabricator/T${task}`)?.state], ['opened closed', 'done'])
    const commits = (await effectRows(flow, first)).get('commits/commits')
    assert.deepEqual([commits?.state, commits?.reason], ['done', `brought T${task + 500}`])
  })

  test('refuses our token, comments are held, the log says so, and they go on when it is repaired', async () => {
    const { state, token } = phabricator()
    const known = state.tokens.get(token)
    assert.ok(known)
    state.tokens.delete(token)
    const heldBefore = holding(flow.worker, 'phabricator').length
    const id = await send()
    await flow.settled(others('phabricator'))
    await isHeld('phabricator', heldBefore)
    const line = holding(flow.worker, 'phabricator').at(-1)
    assert.equal(line?.level, 'error')
    assert.match(String(line?.reason), /ERR-INVALID-AUTH: API token "\[secret\]" is not valid/)
    state.tokens.set(token, known)
    await flow.settled()
    assert.equal(verbs(flow, task), 'opened')
    assert.equal((await effectRows(flow, id)).get(`phabricator/T${task}`)?.attempts, 1)
    const goesOn = () => flow.worker.lines.some(({ msg, queue }) => msg === 'going on' && queue === 'phabricator')
    await until(goesOn, 'the log says that, too')
  })
})

test('after an outage nothing is looked for that was never tried', async () => {
  const { phabricator } = flow.sandbox
  const heldBefore = holding(flow.worker, 'phabricator').length
  const tasks = Array.from({ length: 20 }, (_, index) => 3000 + index)
  for (const id of tasks) phabricator.addTask({ id, title: 'A task' })
  const description = tasks.map((id) => `Bug: T${id}`).join('\n')
  await phabricator.down()
  await flow.send(mergeRequestHook(flow, { description }))
  await flow.send(mergeRequestHook(flow, { description, action: 'close', state: 'closed' }))
  await isHeld('phabricator', heldBefore + 2)
  const asked = phabricator.requests.length
  await phabricator.up()
  await flow.settled()
  for (const id of tasks) assert.equal(verbs(flow, id), 'opened closed')
  assert.deepEqual(
    phabricator.requests.slice(asked).filter(({ path }) => path === '/api/transaction.search'),
    [],
  )
})

describe('while GitLab', () => {
  test('is not there, the description’s tasks are commented at once, those of the commits and the note when it is back', async () => {
    const { gitlab } = flow.sandbox
    const heldBefore = holding(flow.worker, 'commits').length
    await gitlab.down()
    await send()
    await until(() => verbs(flow, task) === 'opened', 'the task of the description has its comment')
    await isHeld('commits', heldBefore)
    assert.deepEqual([verbs(flow, task + 500), botNotes(flow)], ['', []])
    await gitlab.up()
    await flow.settled()
    assert.deepEqual([verbs(flow, task), verbs(flow, task + 500), botNotes(flow).length], ['opened', 'opened', 1])
  })

  test('is read-only, the note waits', async () => {
    const { gitlab } = flow.sandbox
    const heldBefore = holding(flow.worker, 'gitlab-mentions').length
    gitlab.state.mode = 'read-only'
    await send()
    await isHeld('gitlab-mentions', heldBefore)
    await until(() => verbs(flow, task + 500) === 'opened', 'the task of the commits has its comment')
    assert.deepEqual(botNotes(flow), [])
    gitlab.state.mode = 'normal'
    await flow.settled()
    assert.equal(botNotes(flow).length, 1)
  })

  test('refuses our token, the note is held, and the log says so', async () => {
    const { token } = flow.sandbox.gitlab.state
    const heldBefore = holding(flow.worker, 'gitlab-mentions').length
    token.state = 'revoked'
    await send()
    await isHeld('gitlab-mentions', heldBefore)
    const line = holding(flow.worker, 'gitlab-mentions').at(-1)
    assert.deepEqual([line?.level, /GitLab answers 401.*revoked/.test(String(line?.reason))], ['error', true])
    await until(() => verbs(flow, task) === 'opened', 'the task has its comment')
    token.state = 'active'
    await flow.settled()
    assert.equal(botNotes(flow).length, 1)
  })
})

test('while the wiki was never there, the note waits and the comments go on', async () => {
  const { wiki } = flow.sandbox
  const worker = await flow.start('worker')
  await flow.worker.kill()
  flow.worker = worker
  await wiki.down()
  await send()
  await isHeld('gitlab-mentions', 0)
  await flow.settled(others('gitlab-mentions'))
  assert.deepEqual([verbs(flow, task), botNotes(flow)], ['opened', []])
  await wiki.up()
  await flow.settled()
  assert.equal(botNotes(flow).length, 1)
})

test('while the wiki is away after it was there, the last good copy serves', async () => {
  await flow.sandbox.wiki.down()
  await send()
  await flow.settled()
  assert.equal(botNotes(flow).length, 1)
  await flow.sandbox.wiki.up()
})

test('while the database is away effects go on, and later the journal is complete', async () => {
  const heldBefore = holding(flow.worker, 'journal').length
  await database.close()
  const ids = [await send('open'), await send('close', 'closed')]
  await flow.settled(others())
  await isHeld('journal', heldBefore)
  assert.deepEqual([verbs(flow, task), botNotes(flow).length], ['opened closed', 1])
  await database.open()
  await flow.settled()
  for (const id of ids) {
    const rows = await effectRows(flow, id)
    assert.ok(rows.size >= 4)
    for (const [about, { state }] of rows) assert.equal(state, 'done', about)
    assert.ok(await flow.database.selectFrom('deliveries').select('id').where('id', '=', id).executeTakeFirst())
  }
  assert.deepEqual(await flow.dead('journal'), [])
})

test('nothing of all this has become a dead letter', async () => {
  for (const name of [...others(), 'journal'] as const) assert.deepEqual(await flow.dead(name), [], name)
})
