// `doctor`: what is wrong with what the service stands on, and how to repair it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { mergeRequestHook } from '../flow/flow.ts'
import { reviewersPage } from '../sandbox/seed.ts'
import { ops } from '../support/ops.ts'
import { freePort } from '../support/ports.ts'
import { databaseVersion } from '../support/servers.ts'
import type { Environment, Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const findingsSchema = z.array(
  z.strictObject({ id: z.string(), state: z.enum(['ok', 'warning', 'wrong']), message: z.string(), remedy: z.string().nullable() }),
)

let stage: Stage
let processes: [ingest: Process, worker: Process]
before(async () => {
  stage = await openStage()
  processes = await Promise.all([stage.start('ingest'), stage.start('worker')])
  const ready = `http://127.0.0.1:${processes[1].port()}/readyz`
  await until(async () => (await fetch(ready)).status === 200, 'the journal has its tables')
  const present = `{${stage.environment.REDIS_PREFIX}}:present`
  await until(async () => (await stage.redis.zcard(present)) === 2, 'both have said that they are there')
})
after(() => stage?.close())

async function doctor(more: Environment = {}) {
  const environment = { ...stage.environment, ...more }
  const { code, out, err } = await ops(environment, 'doctor', '--json')
  for (const secret of [stage.sandbox.gitlab.token, stage.sandbox.phabricator.token, more.PHABRICATOR_TOKEN, more.GITLAB_TOKEN])
    assert.ok(secret === undefined || !`${out}${err}`.includes(secret), 'no secret is printed')
  const findings = findingsSchema.parse(JSON.parse(out))
  return { code, findings, of: (id: string) => findings.filter((finding) => finding.id === id) }
}
const said = (findings: Array<{ state: string; message: string }>) => findings.map(({ state, message }) => `${state} ${message}`).join('\n')

test('where all is well it says so, and who it is at each remote', async () => {
  stage.sandbox.phabricator.addProject({ name: 'Patch-For-Review' })
  const look = () => doctor({ PHABRICATOR_REVIEW_PROJECT: '#patch-for-review' })
  // The first look of a process loads much, and may find no time to listen to anybody.
  await look()
  const { code, findings, of } = await look()
  assert.deepEqual(
    findings.filter(({ state }) => state === 'wrong'),
    [],
  )
  assert.equal(code, 0)
  assert.match(said(of('phabricator')), /^ok gitlab-bot at .*\nok the review project is Patch-For-Review;/)
  assert.match(said(of('gitlab')), /^ok gitlab-mentions-bot at .*scopes api/)
  assert.match(said(of('redis')), /^ok (Redis|Valkey) \d/)
  const database = said(of('database'))
  assert.match(database, /^ok .*(MariaDB|MySQL).* is up to date$/)
  assert.ok(database.includes(await databaseVersion(stage.databaseUrl)), database)
  assert.match(said(of('processes')), /^ok 1 ingest, 1 worker/)
  assert.equal(said(of('clocks')), 'ok they agree')
})

test('it asks the remotes side by side: none is waited for before the next is asked', async () => {
  const asked = new Set<string>()
  const all = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    asked.add(request.url?.split('/')[1] ?? '')
    if (asked.size === 3) all.resolve()
    void all.promise.then(() => response.writeHead(403).end())
  }).listen(0, '127.0.0.1')
  stage.defer(() => server.closeAllConnections())
  stage.defer(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const { of } = await doctor({ GITLAB_URL: `${url}/gitlab`, PHABRICATOR_URL: `${url}/phabricator`, REVIEWERS_API_URL: `${url}/reviewers` })
  for (const id of ['gitlab', 'phabricator', 'reviewers']) assert.match(said(of(id)), /answers 403/)
})

test('refused, foreign and short-lived credentials are told from each other', async () => {
  const { gitlab, phabricator } = stage.sandbox
  const person = phabricator.addAccount('carol')
  const refused = await doctor({ PHABRICATOR_TOKEN: 'api-22222222222222222222222222222', GITLAB_TOKEN: 'glpat-wrong-0123456789' })
  assert.equal(refused.code, 1)
  assert.match(said(refused.of('phabricator')), /^wrong Phabricator says ERR-INVALID-AUTH/)
  assert.match(said(refused.of('gitlab')), /^wrong GitLab answers 401/)
  const remedies = [refused.of('gitlab')[0]?.remedy, refused.of('phabricator')[0]?.remedy]
  assert.deepEqual(
    remedies,
    ['GITLAB_TOKEN', 'PHABRICATOR_TOKEN'].map((name) => `put a new one into ${name}, and restart the workers`),
  )

  Object.assign(gitlab.state.token, {
    scopes: ['api'],
    state: 'active',
    expiresAt: new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10),
  })
  const foreign = await doctor({ PHABRICATOR_TOKEN: person.token })
  assert.equal(foreign.code, 0)
  assert.match(said(foreign.of('phabricator')), /^warning the token belongs to carol, a person/)
  assert.match(said(foreign.of('gitlab')), /^warning .*expires on .*, in 5 days/)

  Object.assign(gitlab.state.token, { scopes: ['read_api'], state: 'active', expiresAt: null })
  person.account.disabled = true
  const weak = await doctor({ PHABRICATOR_TOKEN: person.token })
  assert.match(said(weak.of('gitlab')), /^wrong .*has the scopes read_api, not api/)
  assert.match(said(weak.of('phabricator')), /^wrong .*not permitted to use the API/)
  Object.assign(gitlab.state.token, { scopes: ['api'], state: 'active', expiresAt: null })
})

test('mistakes on the reviewers page are told with section and line, and work that nobody sees to', async () => {
  const { wiki } = stage.sandbox
  const broken =
    '\n=== repos/broken ===\n* {{Gitlab-mention|bob|file_regexp=([}}\n* {{Gitlab-mention|nobody-knows}}\n* {{Gitlab-mention|erin}}\n'
  const line = reviewersPage.split('\n').length
  wiki.save('Git/Reviewers', `${reviewersPage}${broken}`)
  const failed = (queue: string) => `{${stage.environment.REDIS_PREFIX}}:${queue}:failed`
  for (const queue of ['journal', 'chores']) await stage.redis.zadd(failed(queue), 1, 'one')
  const { code, of } = await doctor()
  await stage.redis.del(failed('journal'), failed('chores'))
  assert.equal(said(of('queues')), 'warning dead jobs in journal: 1, which it was to be told\nwarning dead jobs in chores: 1')
  assert.equal(code, 0, 'others than the operator look after that page')
  const [pattern, unknown, blocked] = of('reviewers').map(({ message }) => message)
  assert.match(pattern ?? '', new RegExp(`^line ${line + 2}, "repos/broken", bob: its file_regexp is not valid`))
  assert.equal(unknown, `line ${line + 3}, "repos/broken", nobody-knows: GitLab knows no user of that name`)
  assert.equal(blocked, `line ${line + 4}, "repos/broken", erin: the user is blocked or deactivated in GitLab`)
  wiki.save('Git/Reviewers', reviewersPage)
})

test('after an upgrade of GitLab a field of another type is told by doctor, metrics, log and explain, each with what was expected', async () => {
  const [ingest, worker] = processes
  const objectSchema = z.record(z.string(), z.json())
  const { object_attributes, project, ...body } = mergeRequestHook(stage)
  const strange = {
    ...body,
    project: { ...objectSchema.parse(project), visibility_level: 0 },
    object_attributes: { ...objectSchema.parse(object_attributes), iid: '1' },
  }
  assert.equal((await post(ingest, strange, { 'idempotency-key': 'upgraded' })).status, 202)
  const found = await until(async () => {
    const { of } = await doctor()
    return of('unexpected').length > 0 ? of('unexpected') : undefined
  }, 'doctor tells')
  const is = 'object_attributes.iid is a string, expected a whole number'
  assert.match(said(found), new RegExp(`^warning GitLab sends what is not known of it: ${is}, in merge_request since 2`))
  assert.match(found[0]?.remedy ?? '', /^bin\/ops explain upgraded; was GitLab upgraded\?/)
  const { out } = await ops(stage.environment, 'explain', 'upgraded')
  assert.ok(out.includes(`it does not say which merge request it is about (${is})`), out)
  const metrics = await (await fetch(`http://127.0.0.1:${worker.port()}/metrics`)).text()
  assert.match(metrics, /gitlab_webhooks_unexpected_total\{field="object_attributes\.iid"\} 1\n/)
  const told = () => worker.lines.filter(({ msg }) => msg === 'GitLab sends what is not known of it').length
  await until(() => told() > 0, 'the log tells')
  assert.equal(told(), 1)
})

test('what a remote did not let us do within the last week is told by project', async () => {
  const reason = 'the review project could not be set: the bot may not edit T5'
  const effect = (id: string, project: string, days: number) => {
    const received_at = new Date(Date.now() - days * 86_400_000)
    const about = { id, delivery: id, sink: 'phabricator', order_key: id, kind: 'merge_request', project, since: received_at, received_at }
    return { ...about, state: 'done' as const, attempts: 1, reason }
  }
  const rows = [effect('one', 'a/b', 1), effect('two', 'c/d', 2), effect('three', 'a/b', 3), effect('old', 'e/f', 8)]
  await stage.database.insertInto('effects').values(rows).execute()
  const { of } = await doctor({ PHABRICATOR_REVIEW_PROJECT: '#nope' })
  const told = said(of('phabricator'))
  assert.match(told, /^wrong PHABRICATOR_REVIEW_PROJECT: there is no project #nope, or the bot may not see it/m)
  assert.match(told, /^warning the review project could not be set: 3 times in the last week, for a\/b \(2\), c\/d \(1\)$/m)
})

test('a spool file that cannot be read is wrong, with its name and the reason, and status tells of it', async () => {
  const spool = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-doctor-'))
  stage.defer(() => rm(spool, { recursive: true }))
  const name = 'gone.1.0000.1790000000000-000000-0000.spool'
  await mkdir(join(spool, name))
  await utimes(join(spool, name), 0, 0)
  const ingest = await stage.start('ingest', { SPOOL_DIR: spool })
  const found = await until(async () => {
    const { code, of } = await doctor()
    return code === 1 ? of('spool') : undefined
  }, 'it is told')
  assert.match(said(found), new RegExp(`^wrong files that cannot be read: 1\\. ${join(spool, name)}: it is not a file$`))
  assert.match((await ops(stage.environment, 'status')).out, /spool +empty, unreadable files: 1/)
  await ingest.stop()
})

test('what cannot be looked into because something else is away says so', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`
  stage.sandbox.wiki.state.mode = 'html'
  const { code, of } = await doctor({
    REDIS_URL: `redis+sentinel://${nowhere},${nowhere}/main`,
    DATABASE_URL: `mysql://root@${nowhere}/nothing`,
  })
  stage.sandbox.wiki.state.mode = 'normal'
  assert.equal(code, 1)
  assert.match(said(of('redis')), /^wrong Redis does not answer at 127/)
  assert.match(said(of('database')), /^wrong The database says: (?!The database).*ECONNREFUSED/)
  assert.match(said(of('reviewers')), /^wrong The wiki answers 200 without the page/)
  assert.equal(said(of('queues')), 'warning not looked into: Redis does not answer')
  assert.equal(said(of('dead')), 'warning not looked into: the database does not answer')
})

test('missing tokens are wrong, a bad configuration ends it with 78, and a name that others can read is warned about', async () => {
  const { GITLAB_TOKEN: _, ...without } = stage.environment
  const missing = await ops(without, 'doctor')
  assert.equal(missing.code, 1)
  assert.match(missing.out, /wrong +configuration +GITLAB_TOKEN is not set, and the sink gitlab-mentions needs it/)
  assert.match(missing.out, /warning +gitlab +not looked into: GITLAB_TOKEN is not set/)

  const bad = await ops({ ...stage.environment, REDIS_URL: 'nonsense' }, 'doctor')
  assert.equal(bad.code, 78)
  assert.match(bad.err, /REDIS_URL: expected/)

  const { of } = await doctor({ DATABASE_URL: stage.databaseUrl.replace(/\/[^/]*$/, '/mysql_p') })
  assert.match(said(of('database')), /mysql_p|Unknown database/)
})
