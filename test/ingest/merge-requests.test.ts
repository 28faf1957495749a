// What everybody is told of a merge request: what came of it, if its project is public; of anything else nothing, in one and
// the same way.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { sql } from 'kysely'
import { z } from 'zod'
import { whyPrivate } from '#shared/event/privacy.ts'
import { migrate } from '#shared/journal/database.ts'
import { Unavailable } from '#shared/process/errors.ts'
import type { Json, JsonObject } from '#shared/process/json.ts'
import { openHiddenProjects } from '#shared/queue/hidden-projects.ts'
import { holdKey } from '#shared/queue/hold.ts'
import { pathOf, readAddress, readPath } from '#sinks/story/address.ts'
import { storySchema } from '../../apps/ingest/documents/story-schema.ts'
import { recently } from '../../apps/ingest/pages/merge-request/recent.ts'
import { type Door, openDoor } from '../support/door.ts'
import { hook, hookNames } from '../support/fixtures.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { about, end, record, start } from '../support/journaled.ts'
import { bodies, changedAt, pathsIn } from '../support/kinds-of-bodies.ts'
import { isObject } from '../support/objects.ts'
import { eventOf } from '../support/plans.ts'
import { type Answer, send } from '../support/request.ts'
import { forked, mark, plants } from '../support/secrets-in-bodies.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let redis: Door
let database: Door
let ingest: Process
let prefix: string
const user = `reader_${randomBytes(4).toString('hex')}`

before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  redis = await openDoor(stage.redisUrl)
  database = await openDoor(stage.databaseUrl)
  stage.defer(() => Promise.all([redis.close(), database.close()]))
  prefix = stage.environment.REDIS_PREFIX ?? ''
  // Known by its user from the connections of the test.
  await sql.raw(`create user ${user} identified by 'a-password'`).execute(stage.database)
  stage.defer(() => sql.raw(`drop user ${user}`).execute(stage.database))
  await sql.raw(`grant select on ${new URL(stage.databaseUrl).pathname.slice(1)}.* to ${user}`).execute(stage.database)
  const url = Object.assign(new URL(database.url), { username: user, password: 'a-password' })
  ingest = await stage.start('ingest', { REDIS_URL: redis.url, DATABASE_URL: url.href })
  await until(async () => (await ask('/merge-requests/no/such/1')).status === 404, 'it is known which projects are not public')
})
after(() => stage?.close())

const ask = (path: string, accept = 'text/html'): Promise<Answer> => send({ port: ingest.port(), path, method: 'GET', headers: { accept } })
const forms = ['text/html', 'application/json']

/** All that an answer says, but for when it was given. */
function said({ status, headers: { date, ...headers }, body }: Answer) {
  assert.ok(date)
  return { status, headers, body: body.toString() }
}

const toldSchema = z.object({
  mergeRequest: z.string(),
  url: z.string().nullable(),
  asOf: z.iso.datetime(),
  sentence: z.string(),
  deliveries: z.array(
    z.looseObject({
      id: z.string(),
      decisions: z.array(z.object({ sink: z.string(), reason: z.string().nullable() })),
      effects: z.array(z.looseObject({ sink: z.string(), task: z.string().nullable(), outcome: z.looseObject({ state: z.string() }) })),
    }),
  ),
})
const isAsDescribed = new Ajv2020({ validateFormats: false }).compile(storySchema)
const told = async (path: string) => {
  const { status, body } = await ask(path, 'application/json')
  assert.equal(status, 200, body.toString())
  const answer: unknown = JSON.parse(body.toString())
  assert.ok(isAsDescribed(answer), JSON.stringify(isAsDescribed.errors))
  return toldSchema.parse(answer)
}

test('it tells what came, what was made of it with links, what waits and for what, and why nothing, to people and to programs', async () => {
  const hostile = `<script>alert(1)</script>\u202e“&'`
  const [opened = '', updated = ''] = await record(
    stage.database,
    about('told/a', 1, { title: hostile, description: 'Bug: T1\nBug: T2' }),
    about('told/a', 1, { action: 'update', title: hostile, description: '- Bug: T5' }),
  )
  await end(stage.database, `${opened}/phabricator/T1`, { state: 'done', link: 'https://phabricator.example/T1' })
  await end(stage.database, `${opened}/commits/commits`, { state: 'dead', reason: `GitLab says ${hostile}`, link: 'javascript:alert(1)' })
  const hold = {
    since: Date.now(),
    until: Date.now() + 60_000,
    probes: 1,
    reason: 'Phabricator answers 502.',
    refused: 'false',
    remote: 'phabricator',
  }
  await stage.redis.hset(holdKey(prefix, 'phabricator'), hold)

  const { sentence, deliveries, mergeRequest, url } = await told('/merge-requests/told/a/1')
  assert.equal(mergeRequest, 'told/a!1')
  assert.match(String(url), /^https:\/\/gitlab.example\/.*\/merge_requests\/1$/)
  const waits = /Phabricator is on hold since (?:[\d-]{10} )?\d\d:\d\d UTC, it answers 502; 0 before it/
  assert.match(sentence, /^1 comment made \(T1\); 1 comment waiting \(T2\): /)
  assert.match(sentence, waits)
  assert.deepEqual(
    deliveries.map(({ id }) => id),
    [updated, opened],
  )
  assert.match(JSON.stringify(deliveries[0]?.decisions), /“- Bug: T5” is none/)
  assert.deepEqual(
    deliveries[1]?.effects.map(({ task, outcome }) => [task, outcome.state]),
    [
      [null, 'dead'],
      [null, 'planned'],
      ['T1', 'done'],
      ['T2', 'held'],
      [null, 'planned'],
    ],
  )

  const { status, headers, body } = await ask('/merge-requests/told/a/1')
  const page = body.toString()
  assert.equal(status, 200)
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; .* form-action 'self'/)
  assert.match(page, waits)
  assert.ok(page.includes('<a href="https://phabricator.example/T1" rel="noreferrer">T1</a>'))
  assert.ok(page.includes('“- Bug: T5” is none'))
  assert.ok(!/<script>alert|javascript:|\u202e|planned/.test(page), page)
  await stage.redis.del(holdKey(prefix, 'phabricator'))
})

describe('of what nobody may know there is one and the same answer, after the same time:', () => {
  let none: Array<ReturnType<typeof said>>
  before(async () => {
    none = await Promise.all(forms.map(async (form) => said(await ask('/merge-requests/no/such/project/1', form))))
    assert.deepEqual(
      none.map(({ status }) => status),
      [404, 404],
    )
  })

  async function isUnknown(path: string): Promise<void> {
    for (const [at, form] of forms.entries()) {
      const asked = performance.now()
      const answer = await ask(path, form)
      assert.deepEqual(said(answer), none[at], path)
      assert.ok(performance.now() - asked > 240, 'not before the others')
    }
  }

  test('of anything that is no address of a merge request', async () => {
    await Promise.all(
      ['/', '/x', '/told/a', '/told/a/0', '/told/a/1x', '/told/a/2', '/TOLD/a/1', '/told/a/%', '/1'].map((path) =>
        isUnknown(`/merge-requests${path}`),
      ),
    )
  })

  test('of each body of each version of GitLab whose project is not public, or that is not for everybody', async () => {
    const all = [...hookNames().map((name) => hook(name)), ...hooksOfVersions().map(({ body }) => body), ...Object.values(bodies)]
    const own = all.flatMap((body, iid) => {
      const { mergeRequest } = eventOf(body)
      return mergeRequest && isObject(body.project) && isObject(body.object_attributes) ? [about('each/version', iid + 1, {}, body)] : []
    })
    const words: Json[] = [0, 10, 30, '0', '20', 'private', 'internal', 'Public', false, true, null, [20]]
    const secret = fc
      .tuple(
        fc.constantFrom(...own),
        fc.nat(),
        fc.constantFrom('visibility_level', 'visibility', 'confidential', 'internal'),
        fc.constantFrom(...words),
      )
      .map(([body, place, name, word]) => {
        const paths = pathsIn(body, (part) => ['variables', 'source', 'wiki'].includes(part))
        const value = name === 'confidential' || name === 'internal' ? true : word
        return changedAt(body, paths[place % paths.length] ?? [], (object) => ({ ...object, [name]: value })) as JsonObject
      })
    const changed = fc.sample(secret, 40).map((body, index) => about('changed/body', index + 1, {}, body))
    const marked = plants.map((plant, index) => about('marked/body', index + 1, {}, plant(own[index % own.length] ?? {})))
    const forks = forked.flatMap((body, index) =>
      isObject(body) && body.object_kind === 'merge_request' ? [about('forked/body', index + 1, {}, body)] : [],
    )
    const given = [...own, ...changed, ...marked, ...forks]
    assert.ok(own.length > 20 && forks.length > 3)
    await record(stage.database, ...given)

    let [shown, hidden] = [0, 0]
    for (let at = 0; at < given.length; at += 20)
      await Promise.all(
        given.slice(at, at + 20).map(async (body) => {
          const event = eventOf(body)
          const path = pathOf({ project: event.project?.path ?? '', iid: event.mergeRequest?.iid ?? 0 })
          const isPublic = whyPrivate(event, false) === undefined
          if (isPublic) shown += 1
          else hidden += 1
          if (!isPublic) return await isUnknown(path)
          for (const form of forms) {
            const { status, body: text } = await ask(path, form)
            assert.equal(status, 200, path)
            if (!JSON.stringify(body.object_attributes).includes(`"title":"see https://${mark}`))
              assert.ok(!text.includes(mark), text.toString())
          }
        }),
      )
    assert.ok(shown > 50 && hidden > 50, `${shown} shown, ${hidden} not`)
  })

  test('of a project whose newest event says that it is not public any more, whatever it was called before', async () => {
    const { hide } = openHiddenProjects({ redis: stage.redis, prefix })
    await record(stage.database, about('closing/a', 1), about('former/a', 2))
    for (const path of ['/merge-requests/closing/a/1', '/merge-requests/former/a/2']) assert.equal((await ask(path)).status, 200)
    await hide({ receivedAt: start, names: ['#42'] })
    await until(async () => (await ask('/merge-requests/closing/a/1')).status === 200, 'what came later is shown')
    await hide({ receivedAt: Date.now(), names: ['#42', 'closing/a'] })
    await until(async () => (await ask('/merge-requests/closing/a/1')).status === 404, 'it is hidden')
    await isUnknown('/merge-requests/closing/a/1')
    await isUnknown('/merge-requests/former/a/2')
    await stage.redis.del(`{${prefix}}:hidden`)
    await stage.redis.xadd(`{${prefix}}:hidden:log`, '*', 'name', '#42', 'until', 0)
  })

  test('of a merge request whose newest event is not for everybody, though those before are', async () => {
    const closed = about('newest/a', 1)
    assert.ok(isObject(closed.project))
    await record(stage.database, about('newest/a', 1), { ...closed, project: { ...closed.project, visibility_level: 0 } })
    await isUnknown('/merge-requests/newest/a/1')
  })

  test('of one that is too large to be looked at', async () => {
    await record(stage.database, about('large/a', 1, { description: 'x'.repeat(5 * 1024 * 1024) }))
    await isUnknown('/merge-requests/large/a/1')
  })
})

test('the box takes the address of a merge request, with whatever stands behind it, and its short name', async () => {
  const look = async (address: string) => {
    const { status, headers } = await ask(`/merge-requests?address=${encodeURIComponent(address)}`)
    return status === 303 ? headers.location : status
  }
  for (const behind of ['', '/', '/diffs#x', '?tab=1', '#note_5'])
    assert.equal(await look(` https://gitlab.example/a/b.c/d/-/merge_requests/12${behind} `), '/merge-requests/a/b.c/d/12')
  assert.equal(await look('a/b!12'), '/merge-requests/a/b/12')
  for (const bad of ['', 'a/b', 'T142', 'https://gitlab.example/a/b/-/issues/12', 'javascript:alert(1)', 'a/b!99999999999'])
    assert.equal(await look(bad), 400)
  const name = fc.stringMatching(/^[a-zA-Z0-9_][\w.-]{0,20}$/)
  fc.assert(
    fc.property(fc.array(name, { minLength: 2, maxLength: 4 }), fc.integer({ min: 1, max: 0xffff_ffff }), (names, iid) => {
      const mr = { project: names.join('/'), iid }
      assert.deepEqual(readPath(pathOf(mr)), mr)
      assert.deepEqual(readAddress(`https://gitlab.example/${mr.project}/-/merge_requests/${iid}`), mr)
    }),
  )
})

test('while Redis is away it says what the journal knows, and that nobody knows for what the rest waits', async () => {
  await record(stage.database, about('redis/away', 1, { description: 'Bug: T1' }))
  await redis.close()
  const { sentence } = await told('/merge-requests/redis/away/1')
  assert.match(sentence, /1 comment waiting \(T1\): waits; Redis is away, so nobody knows for what/)
  await redis.open()
})

test('while the database is away it says what it knew a moment ago, and of the rest that it cannot tell', async () => {
  await record(stage.database, about('database/away', 1))
  const { asOf } = await told('/merge-requests/database/away/1')
  await database.close()
  for (const path of ['/merge-requests/database/away/2', '/merge-requests/no/such/1']) {
    const { status, headers } = await ask(path)
    assert.deepEqual([status, headers['retry-after'], headers['cache-control']], [503, '5', 'no-store'])
  }
  assert.equal((await told('/merge-requests/database/away/1')).asOf, asOf)
  await database.open()
  await until(async () => (await ask('/merge-requests/database/away/2')).status === 404, 'it is back')
})

test('however many ask, at most five connections to the database are open', async () => {
  const counting = sql<{ count: number }>`select count(*) as count from information_schema.processlist where user = ${user}`
  let [isOver, most] = [false, 0]
  const asking = Promise.all(Array.from({ length: 100 }, (_, iid) => ask(`/merge-requests/many/a/${iid + 1}`))).finally(
    () => (isOver = true),
  )
  while (!isOver) most = Math.max(most, Number((await counting.execute(stage.database)).rows[0]?.count))
  const statuses = (await asking).map(({ status }) => status)
  assert.ok(statuses.includes(404) && statuses.every((status) => [404, 503].includes(status)), statuses.join(' '))
  assert.ok(most >= 1 && most <= 5, `${most} connections`)
})

describe('what was looked up a moment ago', () => {
  const hang = () => new Promise<string>(() => undefined)

  test('is not looked up again, until something was hidden', async () => {
    let [looked, version] = [0, 0]
    const tell = recently({ load: async (key) => `${key} ${++looked}`, version: () => version, sizeOf: () => 1 })
    assert.deepEqual(await Promise.all([tell('a'), tell('a'), tell('b')]), ['a 1', 'a 1', 'b 2'])
    assert.equal(await tell('a'), 'a 1')
    version += 1
    assert.equal(await tell('a'), 'a 3')
  })

  test('is kept within a bound', async () => {
    let looked = 0
    const tell = recently({ load: async () => ++looked, version: () => 0, sizeOf: () => 5 * 1024 * 1024 })
    for (const key of ['a', 'b', 'c', 'd']) await tell(key)
    assert.equal(await tell('d'), 4)
    assert.equal(await tell('a'), 5)
  })

  test('is waited for by fifty at most', async () => {
    const tell = recently({ load: hang, version: () => 0, sizeOf: () => 1, patienceMs: 200 })
    const waiting = Array.from({ length: 50 }, (_, index) => tell(String(index)))
    await assert.rejects(tell('one more'), Unavailable)
    await assert.rejects(Promise.race(waiting), Unavailable, 'nor for long')
    await Promise.allSettled(waiting)
  })
})
