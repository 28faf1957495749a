// What an operator needs no shell for: explained, reconciled, pruned, acknowledged, rotated and tried on the page.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { rememberLoss } from '#shared/queue/losses.ts'
import { newMergeRequest } from '../sandbox/forge.ts'
import { hook } from '../support/fixtures.ts'
import { openStage, post as postHook, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const [token, readToken] = ['the token of the operators', 'the token of those who look']
let stage: Stage
let base: string
let tokenFile: string

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
const bearer = (of = token) => ({ authorization: `Bearer ${of}` })

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-maintenance-'))
  tokenFile = join(directory, 'token')
  stage = await openStage({ OPS_TOKEN: token, OPS_READ_TOKEN: readToken, GITLAB_TOKEN: '', GITLAB_TOKEN_FILE: tokenFile })
  stage.defer(() => rm(directory, { recursive: true }))
  await writeFile(tokenFile, stage.sandbox.gitlab.token)
  const ingest = await stage.start('ingest')
  const worker = await stage.start('worker', { PUBLIC_URL: `http://127.0.0.1:${ingest.port()}` })
  base = `http://127.0.0.1:${worker.port()}`
  const body = hook('merge-request-open', stage.sandbox.gitlab.url)
  await postHook(ingest, body, { 'idempotency-key': 'by-hook' })
  await until(async () => (await endedOf(1)) === 5, 'its effects are in the journal')
})
after(() => stage?.close())

type Page = { status: number; location: string | null; html: string; text: string }

async function pageOf(answer: Response): Promise<Page> {
  const html = await answer.text()
  const text = html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
  return { status: answer.status, location: answer.headers.get('location'), html, text }
}

const get = async (path: string, headers = bearer()) => await pageOf(await fetch(base + path, { headers, redirect: 'manual' }))
const post = async (what: string, fields: Record<string, string>, headers = bearer()) =>
  await pageOf(
    await fetch(`${base}/maintenance/${what}`, { method: 'POST', headers, body: new URLSearchParams(fields), redirect: 'manual' }),
  )
const acts = async (verb: string) =>
  await stage.database.selectFrom('acts').select(['who', 'reason', 'count']).where('verb', '=', verb).execute()
const row = (id: string, received_at: Date, kind = 'push') =>
  ({ id, received_at, kind, action: null, project: null, iid: null, username: null, title: null, origin: 'hook' }) as const
/** How many effects a merge request has had so far; none while one is under way. */
const endedOf = async (iid: number) => {
  const ofIt = stage.database.selectFrom('deliveries').innerJoin('effects', 'effects.delivery', 'deliveries.id').where('iid', '=', iid)
  const states = (await ofIt.select('state').execute()).map(({ state }) => state)
  return states.includes('planned') ? 0 : states.length
}
const journaled = (...rows: Array<ReturnType<typeof row>>) => stage.database.insertInto('deliveries').values(rows).execute()

test('a merge request is explained by its address or its name: a sentence, then all of its deliveries', async () => {
  const name = 'repos/releng/gitlab-demo!1'
  const address = `${stage.sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/1/diffs`
  for (const about of [name, ` ${address} `]) {
    const { status, html, text } = await get(`/explain?about=${encodeURIComponent(about)}`)
    assert.equal(status, 200, text)
    assert.match(text, /repos\/releng\/gitlab-demo!1 \d+ comments? made \(T\d+.*Of 1 delivery, the last/)
    assert.match(html, /<a href="\/deliveries\/by-hook">merge_request open<\/a>/)
  }
  assert.deepEqual((await get('/explain?about=by-hook')).location, '/deliveries/by-hook')
  assert.match((await get('/explain?about=repos/x!7')).text, /The journal has no delivery about this merge request/)
  const strange = await get('/explain?about=%3Cb%3Enonsense')
  assert.deepEqual([strange.status, strange.html.includes('<b>nonsense')], [400, false])
  assert.match((await get('/deliveries')).html, /<form [^>]*action="\/explain"/)
})

test('what no hook told is listed by a dry run, and handed in for a reason', async () => {
  const project = stage.sandbox.gitlab.state.projects[0]
  const missed = { iid: 2, title: 'Missed', author: 'alice', description: 'Bug: T5', createdAt: hoursAgo(2.5).toISOString() }
  project?.mergeRequests.push(newMergeRequest(missed))
  for (const [fields, says] of [
    [{ do: 'dry-run' }, /since: say from when on/],
    [{ do: 'dry-run', since: 'soon' }, /since: expected ISO 8601/],
    [{ do: 'dry-run', since: '1h', until: '2h' }, /since: expected a time before until/],
    [{ do: 'dry-run', since: '4h' }, /since: the journal begins at/],
    [{ do: 'act', since: '4h' }, /a reason is needed/],
  ] as const) {
    const { status, text } = await post('reconcile', fields)
    assert.equal(status, 400)
    assert.match(text, says)
  }
  await journaled(row('long-ago', hoursAgo(96)))
  const tried = await post('reconcile', { do: 'dry-run', since: '3h' })
  assert.match(tried.text, /Nothing has been changed.*1 event missed, 0 handed in.*repos\/releng\/gitlab-demo!2 open.*Hand them in/)
  const hidden = (name: string) => new RegExp(`type="hidden" name="${name}" value="([^"]+)"`).exec(tried.html)?.[1] ?? ''
  const window = { since: hidden('since'), until: hidden('until') }
  const done = await post('reconcile', { do: 'act', reason: 'the hook was off', ...window })
  assert.match(done.text, /1 event missed, 1 handed in/)
  assert.doesNotMatch(done.text, /Hand them in/)
  assert.deepEqual(await acts('reconcile'), [{ who: 'bearer of the token', reason: 'the hook was off', count: 1 }])
  await until(async () => (await endedOf(2)) > 1, 'it is in the journal with its effects')
})

test('of many missed events the first two hundred are listed', async () => {
  const restless = newMergeRequest({ iid: 3, title: 'Restless', author: 'alice', description: '', createdAt: hoursAgo(2).toISOString() })
  restless.stateEvents = Array.from({ length: 250 }, (_, at) => ({
    state: at % 2 === 0 ? 'closed' : 'reopened',
    by: 'alice',
    at: new Date(hoursAgo(1.5).getTime() + at * 1000).toISOString(),
  }))
  stage.sandbox.gitlab.state.projects[0]?.mergeRequests.push(restless)
  const { text } = await post('reconcile', { do: 'dry-run', since: '3h' })
  assert.match(text, /251 events missed.*The first 200 of them/)
  assert.equal(text.match(/gitlab-demo!3 /g)?.length, 200)
})

test('what is too old is counted by a dry run, and removed for a reason', async () => {
  await journaled(row('too-old', hoursAgo(24 * 200)))
  const old = stage.database.selectFrom('deliveries').select('id').where('id', '=', 'too-old')
  const tried = await post('prune', { do: 'dry-run' })
  assert.match(tried.text, /Nothing has been changed.*Would be removed.* deliveries 1 /)
  assert.equal((await post('prune', { do: 'act', reason: ' ' })).status, 400)
  assert.equal((await old.execute()).length, 1)
  assert.match((await post('prune', { do: 'act', reason: 'room' })).text, /This was removed.* deliveries 1 /)
  assert.equal((await old.execute()).length, 0)
  assert.deepEqual(await acts('prune'), [{ who: 'bearer of the token', reason: 'room', count: 1 }])
})

test('all deliveries that a filter chooses are counted by a dry run, and sent through again for a reason', async () => {
  assert.match((await get('/deliveries?kind=merge_request')).html, /<form [^>]*action="\/maintenance\/redeliver"/)
  assert.doesNotMatch((await get('/deliveries')).html, /maintenance\/redeliver/)
  for (const [fields, says] of [
    [{ do: 'dry-run' }, /Choose some deliveries with a filter first/],
    [{ do: 'dry-run', mr: 'nonsense' }, /mr: expected/],
    [{ do: 'act', id: 'by-hook' }, /a reason is needed/],
  ] as const)
    assert.match((await post('redeliver', fields)).text, says)
  await journaled(...Array.from({ length: 1001 }, (_, at) => row(`one-of-many-${at}`, hoursAgo(24), 'many')))
  assert.match((await post('redeliver', { do: 'act', kind: 'many', reason: 'why not' })).text, /1,001 deliveries match, and at most 1,000/)
  assert.match((await post('redeliver', { do: 'dry-run', id: 'by-hook', limit: '25' })).text, /1 delivery matches id by-hook/)
  assert.deepEqual(await acts('redeliver'), [])
  assert.match((await post('redeliver', { do: 'act', id: 'by-hook', reason: 'to be sure' })).text, /1 delivery is on the way again/)
  assert.deepEqual(await acts('redeliver'), [{ who: 'bearer of the token', reason: 'to be sure', count: 1 }])
})

test('the audit log can be asked for a time', async () => {
  assert.match((await get('/audit?since=1h')).text, /to be sure/)
  assert.match((await get('/audit?until=1h')).text, /There are no such entries/)
  assert.match((await get('/audit?since=soon')).text, /since: expected ISO 8601/)
})

test('the overview says whether the next process may be restarted', async () => {
  assert.match((await get('/')).text, /Restart none of them now: 1 ingest: while the only one restarts nobody takes deliveries/)
})

test('a test delivery flies the whole way', async () => {
  const { status, text } = await post('canary', {})
  assert.equal(status, 200)
  assert.match(text, /canary-[\w-]+ came out of the feed after \d+ ms/)
})

test('losses are shown until they are acknowledged', async () => {
  const place = { redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }
  const [id, at] = ['a-loss', hoursAgo(1).toISOString()]
  await rememberLoss(place, id, { kind: 'refused', since: at, until: at, count: 3 })
  assert.match((await get('/maintenance')).text, new RegExp(`${id} .*3 deliveries refused`))
  assert.match((await get('/')).html, /Lost: 3 deliveries refused.*<a href="\/maintenance">/)
  assert.match((await post('acknowledge', { reason: 'seen to' })).text, /Tick the losses/)
  assert.match((await post('acknowledge', { loss: id })).text, /a reason is needed/)
  assert.equal((await post('acknowledge', { loss: id, reason: 'seen to' })).location, '/maintenance')
  assert.match((await get('/maintenance')).text, /No loss is left to be acknowledged/)
  assert.deepEqual(await acts('acknowledge'), [{ who: 'bearer of the token', reason: 'seen to', count: 1 }])
})

test('the GitLab token is exchanged where it is in a file, and no page shows it', async () => {
  const former = stage.sandbox.gitlab.token
  for (const [fields, says] of [
    [{ expires: '2020-01-01', reason: 'old' }, /Good until: expected a day after today/],
    [{ expires: '' }, /a reason is needed/],
  ] as const)
    assert.match((await post('token', fields)).text, says)
  assert.equal(stage.sandbox.gitlab.token, former)
  const answer = await post('token', { expires: '', reason: 'it is time' })
  assert.equal(answer.location, '/maintenance', answer.text)
  const successor = stage.sandbox.gitlab.token
  assert.notEqual(successor, former)
  assert.equal((await readFile(tokenFile, 'utf8')).trim(), successor)
  const seen = await get('/maintenance')
  assert.match(seen.text, /Expires \d{4}-\d\d-\d\d, in 36\d days/)
  for (const one of [former, successor]) assert.equal((answer.html + seen.html).includes(one), false)
  assert.deepEqual(await acts('token rotate'), [{ who: 'bearer of the token', reason: 'it is time', count: 1 }])
})

test('when the file does not take the new token, GitLab is not asked for one', async () => {
  const former = stage.sandbox.gitlab.token
  await rm(tokenFile)
  const { status, text } = await post('token', { reason: 'it is time' })
  assert.equal(status, 400)
  assert.match(text, /Nothing has been changed The new token could not be stored/)
  assert.equal(stage.sandbox.gitlab.token, former)
})

test('who may only look sees what there is, without a form, and changes nothing', async () => {
  const { status, html } = await get('/maintenance', bearer(readToken))
  assert.equal(status, 200)
  assert.doesNotMatch(html, /<form[^>]* method="post"/)
  for (const what of ['reconcile', 'prune', 'canary', 'acknowledge', 'token', 'redeliver'])
    assert.equal((await post(what, { do: 'dry-run', reason: 'because' }, bearer(readToken))).status, 403, what)
})

test('the former address of the audit log leads to it', async () => {
  const { status, location } = await get('/acts')
  assert.deepEqual([status, location], [301, '/audit'])
})
