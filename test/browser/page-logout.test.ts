// Who has logged out is out: a copy of the cookie opens nothing any more, at no worker.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Door, openDoor } from '../support/door.ts'
import { type Answer, send } from '../support/request.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const token = 'the token of the operators'
let stage: Stage
let redis: Door
/** The other one reaches Redis through a door. */
let one: Process
let other: Process

before(async () => {
  stage = await openStage({ OPS_TOKEN: token })
  redis = await openDoor(stage.redisUrl)
  stage.defer(() => redis.close())
  ;[one, other] = await Promise.all([stage.start('worker'), stage.start('worker', { REDIS_URL: redis.url })])
})
after(() => stage?.close())

const get = (at: Process, path: string, cookie = '') => send({ port: at.port(), path, method: 'GET', headers: { cookie } })
const formOf = ({ body }: Answer) => /name="form" value="([^"]+)"/.exec(body.toString())?.[1] ?? ''
const cookieOf = ({ headers }: Answer) => (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ')

async function post(at: Process, path: string, fields: Record<string, string>, cookie: string): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie, origin: `http://127.0.0.1:${at.port()}` }
  return await send({ port: at.port(), path, headers, body: new URLSearchParams(fields).toString() })
}

async function logIn(at: Process): Promise<string> {
  const form = await get(at, '/login')
  return cookieOf(await post(at, '/login', { form: formOf(form), who: 'Ada', token }, cookieOf(form)))
}

/** The same session as a worker on another port knows it. */
const at = (worker: Process, cookie: string) => cookie.replace(/\bops-\d+=/, `ops-${worker.port()}=`)
const isIn = async (worker: Process, cookie: string) => (await get(worker, '/audit', at(worker, cookie))).status === 200
const logOut = async (worker: Process, cookie: string) =>
  await post(worker, '/logout', { form: formOf(await get(worker, '/audit', cookie)) }, cookie)

test('after a logout the cookie counts for nothing, at any worker, nor after a restart; other sessions go on', async () => {
  const [cookie, another] = [await logIn(one), await logIn(one)]
  await until(() => isIn(one, cookie), 'the journal has its tables')
  assert.ok(await isIn(other, cookie), 'both workers know it')
  const left = await logOut(one, cookie)
  assert.deepEqual([left.status, left.headers.location], [303, '/login'])
  for (const worker of [one, other]) {
    const { status, headers } = await get(worker, '/audit', at(worker, cookie))
    assert.deepEqual([status, headers.location], [303, '/login?to=%2Faudit'])
    assert.ok(await isIn(worker, another))
  }
  const later = await stage.start('worker')
  await until(() => isIn(later, another), 'it is there')
  assert.ok(!(await isIn(later, cookie)))
  const ttls = await Promise.all((await stage.redis.keys('*:ops:ended:*')).map((key) => stage.redis.pttl(key)))
  assert.ok(ttls.length === 1 && ttls.every((ms) => ms > 0 && ms <= 12 * 3_600_000), 'it is remembered as long as it could be used')
})

test('a logout while Redis is away counts at once here, and elsewhere when Redis is back', async () => {
  const cookie = await logIn(other)
  assert.ok(await isIn(one, cookie))
  await redis.close()
  assert.equal((await logOut(other, cookie)).status, 303)
  assert.ok(!(await isIn(other, cookie)))
  await redis.open()
  await until(async () => !(await isIn(one, cookie)), 'the others know it, too')
})
