// Who may see the operator's page, and what may change anything: asked without a browser, as an attacker would.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { generateSignedCookie } from 'hono/cookie'
import { sessionKey } from '../../apps/ops/page/door/session.ts'
import { type Answer, send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const token = 'the token of the operators'
const readToken = 'the token of those who look'
let tokenFile: string
let stage: Stage
let closed: Process
/** The ports of a worker with an OPS_TOKEN, and of one without. */
let port: number
let open: number

before(async () => {
  stage = await openStage()
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-door-'))
  stage.defer(() => rm(directory, { recursive: true }))
  tokenFile = join(directory, 'token')
  await writeFile(tokenFile, `${token}\n`)
  const [first, free] = await Promise.all([
    stage.start('worker', { OPS_TOKEN_FILE: tokenFile, OPS_READ_TOKEN: readToken }),
    stage.start('worker'),
  ])
  closed = first
  port = closed.port()
  open = free.port()
  for (const at of [port, open]) await until(async () => (await get('/readyz', {}, at)).status === 200, 'the journal has its tables')
})
after(() => stage?.close())

const get = (path: string, headers: Record<string, string> = {}, at = port) => send({ port: at, path, method: 'GET', headers })
const own = (at = port) => ({ origin: `http://127.0.0.1:${at}`, 'sec-fetch-site': 'same-origin' })

function post(path: string, fields: Record<string, string>, headers: Record<string, string>, at = port): Promise<Answer> {
  const body = new URLSearchParams(fields).toString()
  return send({ port: at, path, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body })
}

function cookieOf({ headers }: Answer): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ')
}

const formOf = ({ body }: Answer) => /name="form" value="([^"]+)"/.exec(body.toString())?.[1] ?? ''

async function logIn(given = token): Promise<Answer> {
  const form = await get('/login')
  return await post('/login', { form: formOf(form), who: 'Ada', token: given, to: '/dead' }, { cookie: cookieOf(form), ...own() })
}

async function askWithoutHost(path: string, at: number): Promise<string> {
  const socket = connect(at, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.0\r\n\r\n`)
  return await text(socket)
}

const isPaused = () => stage.redis.hget(`{${stage.environment.REDIS_PREFIX}}:sse:meta`, 'paused')

test('machines are answered as before, and everything else leads to the login form', async () => {
  assert.equal((await get('/healthz', { host: 'anything' })).status, 200)
  assert.equal((await get('/readyz')).status, 200)
  assert.equal((await get('/metrics')).status, 200)
  for (const path of ['/', '/dead?task=T1', '/deliveries/x', '/queues', '/queues/api/queues', '/nowhere']) {
    const { status, headers } = await get(path)
    assert.deepEqual([status, headers.location], [303, `/login?to=${encodeURIComponent(path)}`])
  }
})

test('the token opens the page, by the form for a name and by a header for programs', async () => {
  const answer = await logIn()
  assert.deepEqual([answer.status, answer.headers.location], [303, '/dead'])
  assert.match(String(answer.headers['set-cookie']), /HttpOnly; SameSite=Strict/)
  const page = await get('/', { cookie: cookieOf(answer) })
  assert.equal(page.status, 200)
  assert.match(page.body.toString(), /You are <b><bdi>Ada/)
  assert.equal((await get('/', { authorization: `Bearer ${token}` })).status, 200)
  assert.equal((await get('/', { authorization: 'Bearer something' })).status, 401)
  assert.doesNotMatch(page.body.toString() + JSON.stringify(answer.headers), new RegExp(token))
})

test('with the token for reading every page is shown, without a form, and nothing is changed, by cookie or by header', async () => {
  const cookie = cookieOf(await logIn(readToken))
  const bearer = { authorization: `Bearer ${readToken}` }
  for (const path of ['/', '/deliveries', '/dead', '/replays', '/audit', '/doctor', '/sinks/sse', '/queues/api/queues'])
    for (const headers of [{ cookie }, bearer]) {
      const { status, body } = await get(path, headers)
      assert.equal(status, 200, path)
      assert.doesNotMatch(body.toString(), /<form[^>]* method="post"(?! action="\/logout")/, path)
    }
  const seen = await get('/', { cookie })
  assert.match(seen.body.toString(), /You are <b><bdi>Ada<\/bdi><\/b>, to look only/)
  const fields = { form: formOf(seen), do: 'pause', reason: 'because', which: 'ticked', letter: 'x' }
  for (const path of ['/sinks/sse', '/dead', '/deliveries/x/redeliver', '/replays/1/stop', '/queues/api/queues/sse/pause'])
    for (const headers of [{ cookie, ...own() }, bearer]) {
      const { status, body } = await post(path, fields, headers)
      assert.equal(status, 403, path)
      assert.match(body.toString(), /changes need the OPS_TOKEN/)
    }
  assert.equal(await isPaused(), null)
  assert.equal((await post('/logout', fields, { cookie, ...own() })).headers.location, '/login')
  assert.equal((await get('/', { cookie })).status, 303)
  assert.match((await get('/sinks/sse', { authorization: `Bearer ${token}` })).body.toString(), /<form class="card" method="post">/)
})

test('a login leads to no other site', async () => {
  for (const to of ['//evil.example/', '/\\evil.example', '/\t/evil.example', '/.//evil.example', 'https://evil.example/']) {
    const form = await get(`/login?to=${encodeURIComponent(to)}`)
    const answer = await post('/login', { form: formOf(form), who: 'Ada', token, to }, { cookie: cookieOf(form), ...own() })
    assert.equal(answer.headers.location, '/')
  }
})

test('a forged, a changed and an expired cookie count for nothing', async () => {
  const cookie = cookieOf(await logIn())
  const name = `ops-${port}`
  const session = (until: number) => Buffer.from(JSON.stringify({ id: 'x', who: 'Ada', until })).toString('base64url')
  const signed = async (until: number, key: string) => (await generateSignedCookie(name, session(until), key)).split(';')[0] ?? ''
  const later = Date.now() + 60_000
  assert.equal((await get('/', { cookie: await signed(later, sessionKey(token)) })).status, 200, 'this is how a good one is made')
  assert.equal((await get('/', { cookie: await signed(Date.now() - 1, sessionKey(token)) })).status, 303)
  assert.equal((await get('/', { cookie: await signed(later, sessionKey('another token')) })).status, 303)
  assert.equal((await get('/', { cookie: cookie.replace(/=.(.*)/, '=x$1') })).status, 303)
})

for (const [kind, portOf, enter] of [
  ['who is logged in', () => port, async () => cookieOf(await logIn())],
  ['whose page has no token', () => open, async () => cookieOf(await get('/', {}, open))],
] as const)
  test(`nothing is changed for an operator ${kind} by any page but their own`, async () => {
    const at = portOf()
    const cookie = await enter()
    const form = formOf(await get('/sinks/sse', { cookie }, at))
    const fields = { form, do: 'pause', reason: 'because' }
    const { form: _, ...without } = fields
    for (const [what, given, headers] of [
      ['without the form’s token', without, { cookie, ...own(at) }],
      ['with the token of another session', { ...fields, form: 'x'.repeat(43) }, { cookie, ...own(at) }],
      ['from another site', fields, { cookie, origin: 'https://evil.example' }],
      ['from another port', fields, { cookie, origin: 'http://127.0.0.1:1' }],
      ['from a page without an origin', fields, { cookie, origin: 'null', 'sec-fetch-site': 'cross-site' }],
      ['from a sandboxed frame', fields, { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' }],
      ['from nobody knows where', fields, { cookie }],
      ['without a session', fields, own(at)],
    ] as const)
      assert.equal((await post('/sinks/sse', given, headers, at)).status, 403, what)
    assert.equal(await isPaused(), null)

    assert.equal((await post('/sinks/sse', fields, { cookie, ...own(at) }, at)).status, 303)
    assert.equal(await isPaused(), '1')
    const overview = (await get('/', { cookie }, at)).body.toString()
    assert.match(overview, /paused<\/span> by <bdi>[^<]+<\/bdi>: <bdi>because<\/bdi>/)
    assert.equal((await post('/sinks/sse', { ...fields, do: 'resume' }, { cookie, ...own(at) }, at)).status, 303)
    assert.equal(await isPaused(), null)

    const hold = `{${stage.environment.REDIS_PREFIX}}:hold:sse`
    const [now, ms] = [Date.now(), 600_000]
    await stage.redis.hset(hold, { since: now, until: now + ms, ms, probes: 1, reason: 'a try', refused: 'false' })
    const shown = (await get('/sinks/sse', { cookie }, at)).body.toString()
    assert.match(shown, /It is on hold: <bdi>a try<\/bdi>\. It asks again in \d+ s\./)
    assert.equal((await post('/sinks/sse', { ...fields, do: 'ask' }, { cookie, ...own(at) }, at)).status, 303)
    assert.equal(await stage.redis.hget(hold, 'until'), '0')
    await stage.redis.del(hold)
  })

test('the overview says of a GitLab token without an expiry date that it has none', async () => {
  const gitlabToken = `{${stage.environment.REDIS_PREFIX}}:token:gitlab`
  await until(async () => (await stage.redis.exists(gitlabToken)) === 1, 'the worker has checked it')
  await stage.redis.hdel(gitlabToken, 'expires_at')
  assert.match((await get('/', {}, open)).body.toString(), /GitLab token: <b>no expiry date<\/b>/)
})

test('without a token nothing but /healthz is answered under any name but those of this machine', async () => {
  for (const [host, status] of [
    [`127.0.0.1:${open}`, 200],
    [`localhost:${open}`, 200],
    [`[::1]:${open}`, 200],
    [`evil.example:${open}`, 403],
    ['127.0.0.1.evil.example', 403],
  ] as const)
    for (const path of ['/', '/metrics', '/readyz']) assert.equal((await get(path, { host }, open)).status, status, `${host}${path}`)
  assert.equal((await get('/healthz', { host: 'evil.example' }, open)).status, 200)
  assert.match(await askWithoutHost('/readyz', open), /^HTTP\/1\.1 200 /, 'a probe in HTTP/1.0 names no host')
})

test('browsers are told to load nothing from elsewhere, to show it in no frame and to keep no copy', async () => {
  const cookie = cookieOf(await logIn())
  for (const path of ['/login', '/', '/nowhere', '/deliveries?since=yesterday', '/assets/simple.css', '/assets/style.css', '/queues']) {
    const { headers } = await get(path, { cookie })
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/, path)
    assert.match(policy, /script-src 'self'(;|$)/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.equal(policy.includes('unsafe'), path === '/queues')
    assert.deepEqual(
      [headers['x-content-type-options'], headers['cache-control'], headers['referrer-policy']],
      ['nosniff', 'no-store', 'same-origin'],
    )
  }
})

test('the raw queues cannot be changed, not even by who is logged in', async () => {
  const cookie = cookieOf(await logIn())
  const form = formOf(await get('/sinks/sse', { cookie }))
  const put = send({ port, path: '/queues/api/queues/sse/pause', method: 'PUT', headers: { authorization: `Bearer ${token}` } })
  assert.equal((await put).status, 403)
  assert.equal((await post('/queues/api/queues/sse/pause', { form }, { cookie, ...own() })).status, 403)
  assert.equal(await isPaused(), null)
})

test('a request that is too large is refused', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie: cookieOf(await logIn()), ...own() }
  const answer = await send({ port, path: '/dead', headers, body: 'x'.repeat(2_000_000), agent: new Agent() })
  assert.equal(answer.status, 413)
})

test('words that are no filters choose nothing, and are no places to go', async () => {
  const cookie = cookieOf(await logIn())
  const form = formOf(await get('/sinks/sse', { cookie }))
  const fields = { form, which: 'matching', do: 'discard', rate: '10', reason: 'none' }
  for (const [more, says] of [
    [{ constructor: '1' }, /Choose some dead letters with a filter first/],
    [{ state: 'done' }, /only dead letters can be replayed or discarded/],
  ] as const) {
    const { status, body } = await post('/dead', { ...fields, ...more }, { cookie, ...own() })
    assert.equal(status, 400)
    assert.match(body.toString(), says)
  }
  const row = { at: new Date(), who: 'Ada', reason: '', rate: 1, selection: '{"ids":[]}', state: 'done', chosen: 0 } as const
  const { insertId } = await stage.database.insertInto('replays').values(row).executeTakeFirstOrThrow()
  assert.equal((await post(`/replays/${insertId}/constructor`, { form, reason: 'none' }, { cookie, ...own() })).status, 404)
})

test('a new token in the file is in use within seconds, and the sessions of the old one are over', async () => {
  const cookie = cookieOf(await logIn())
  assert.equal((await get('/', { cookie })).status, 200)
  await writeFile(tokenFile, 'another token\n')
  await until(async () => (await get('/', { cookie })).status === 303, 'the old session is over')
  assert.equal((await get('/', { authorization: `Bearer ${token}` })).status, 401)
  assert.equal((await logIn('another token')).status, 303)
  await writeFile(tokenFile, `${token}\n`)
  await until(async () => (await get('/', { cookie })).status === 200, 'the first token is back')
})

test('however many wrong tokens come, the right one opens the page, and who is inside stays inside', async () => {
  const cookie = cookieOf(await logIn())
  const wrong = await Promise.all(Array.from({ length: 25 }, (_, guess) => logIn(`guess ${guess}`)))
  const programs = await Promise.all(Array.from({ length: 25 }, (_, guess) => get('/', { authorization: `Bearer guess ${guess}` })))
  assert.deepEqual(new Set([...wrong, ...programs].map(({ status }) => status)), new Set([401]))
  assert.equal((await logIn()).status, 303)
  assert.equal((await get('/', { authorization: `Bearer ${token}` })).status, 200)
  assert.equal((await get('/', { cookie })).status, 200)
  const told = () => closed.lines.filter(({ msg }) => msg === 'a wrong OPS_TOKEN')
  await until(() => told().at(-1)?.count === 32, 'the log says so')
  assert.deepEqual([told().at(-1)?.address, told().length], ['127.0.0.1', 6], 'not each is a line of the log')
})
