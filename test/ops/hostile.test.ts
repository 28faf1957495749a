// Titles, names, kinds and reasons by somebody who wishes the operator ill: no command lets them move the cursor, ring,
// colour, break a line or turn the direction of writing, in words or in JSON.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { migrate } from '#shared/journal/database.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { type Remote, startAnswering } from '../support/answers.ts'
import { ops, typeOps } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const atOnce = 4
// A window's title, a colour, a cleared screen, ends of lines, turns of the direction, what cannot be seen.
const evil =
  'x\u001b]0;owned\u0007\u001b[31m\u009b2J\nFORGED\rFORGED\u0085FORGED\u2028FORGED\u2029FORGED\u202e\u2066\u200f\u061c\ufeff\u{e0041}\u007f\u000b\u000cFORGED'
// Ids are ASCII in the journal.
const evilId = 'x\u001b]0;owned\u0007\u001b[31m\nFORGED\r\u007f\u000b\u000cFORGED'
const at = new Date(Date.now() - 60_000)
let stage: Stage
let remote: Remote
let file: string

before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  remote = await startAnswering(({ path }) => {
    if (path.startsWith('/hooks')) return { status: 202 }
    if (path.startsWith('/sse')) return { headers: { 'content-type': 'text/\u009b2J' }, body: '' }
    const body = { error_code: 'ERR-EVIL', error_info: evil, result: null, message: evil, error: { code: 'evil', info: evil } }
    return { status: path.startsWith('/api/v4') ? 400 : 200, body }
  })
  stage.defer(() => remote[Symbol.asyncDispose]())
  const { url } = remote
  Object.assign(stage.environment, {
    PHABRICATOR_URL: url,
    GITLAB_URL: url,
    REVIEWERS_API_URL: `${url}/w/api.php`,
    PORT: String(remote.port),
  })
  await fillJournal()
  await fillRedis()
  file = join(String(stage.environment.SPOOL_DIR), '..', `events${evil}.log`)
  const line = { id: 'imported', receivedAt: at.toISOString(), headers: { [evil]: 1 }, body: '{}' }
  await writeFile(file, `${JSON.stringify(line)}\n`)
})
after(() => stage?.close())

async function fillJournal(): Promise<void> {
  const { database } = stage
  const told = { received_at: at, kind: evil, project: evil }
  const delivery = { id: 'evil-1', ...told, action: evil, iid: 7, username: evil, title: evil, origin: 'hook' }
  await database.insertInto('deliveries').values(delivery).execute()
  await database.insertInto('decisions').values({ delivery: 'evil-1', sink: 'phabricator', reason: evil }).execute()
  const ended = { state: 'dead' as const, reason: evil, error: '0123456789ab', link: `https://x.example/${evil}`, made: evil }
  const effect = { id: 'evil-1/phabricator/T1', delivery: 'evil-1', sink: 'phabricator', order_key: evil, task: 1, since: at }
  await database
    .insertInto('effects')
    .values({ ...effect, ...told, ...ended, attempts: 1, ended_at: at })
    .execute()
  await database.insertInto('attempts').values({ effect: effect.id, at, number: 1, ms: 5, reason: evil }).execute()
  await database.insertInto('acts').values({ at, who: evil, verb: 'import', reason: evil, details: '{}', count: 0 }).execute()
}

async function fillRedis(): Promise<void> {
  const { redis, environment } = stage
  const prefix = environment.REDIS_PREFIX ?? ''
  const key = (name: string) => `{${prefix}}:${name}`
  const now = Date.now()
  const hold = { since: now, until: now + 600_000, probes: 1, reason: `Phabricator ${evil}`, refused: 'false' }
  await redis.hset(key('hold:phabricator'), hold)
  await redis.hset(key('token:gitlab'), {
    name: evil,
    scopes: evil,
    active: 'true',
    expires_at: '2031-05-06',
    checked_at: at.toISOString(),
  })
  const facts = { app: 'ingest', host: evil, pid: 1, version: evil, since: at.toISOString() }
  await redis.zadd(key('present'), now, 'evil')
  await redis.hset(key('present:facts'), 'evil', JSON.stringify(facts))
  const meta = { id: 'evil-1', dt: at.toISOString(), kind: 'push' }
  const message = { object_kind: evil, project: { path_with_namespace: evil }, user_username: evil, meta }
  await openRelay({ redis, prefix }).publish('evil-1', JSON.stringify(message))
}

const unseen = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u
const broken = /^\W*FORGED/m
function checkHarmless(text: string, about: string): void {
  assert.doesNotMatch(text, unseen, `${about}: ${JSON.stringify(text)}`)
  assert.doesNotMatch(text, broken, `${about}: ${text}`)
}

const why = ['--reason', evil]
/** Each with whether what came from outside is a part of what it says. */
const commands: Array<[words: () => string[], shows: boolean]> = [
  [() => ['status'], true],
  [() => ['deliveries'], true],
  [() => ['explain', 'evil-1'], true],
  [() => ['explain', evilId], true],
  [() => ['dead'], true],
  [() => ['dead', 'groups'], true],
  [() => ['dead', 'show', 'evil-1/phabricator/T1'], true],
  [() => ['dead', 'show', evilId], true],
  [() => ['audit'], true],
  [() => ['tail', '--since', '1h', '--limit', '1'], true],
  [() => ['doctor'], true],
  [() => ['token'], true],
  [() => ['token', 'rotate', ...why], true],
  [() => ['canary', '--timeout', '5'], false],
  [() => ['replay', 'evil-1/phabricator/T1', evilId, '--dry-run'], true],
  [() => ['replay', evilId, ...why], true],
  [() => ['discard', evilId, ...why], true],
  [() => ['redeliver', evilId, ...why], true],
  [() => ['import', file, ...why], true],
  [() => ['import', `no${evil}`, ...why], true],
  [() => ['reconcile', '--since', '59s', '--until', '0s', '--dry-run'], true],
  [() => ['pause', 'sse', ...why], false],
  [() => ['resume', 'sse', ...why], false],
  [() => ['prune', ...why], false],
  [() => ['acknowledge', 'x', ...why], false],
  [() => [evil], true],
  [() => ['status', `--${evil}`], true],
  [() => ['pause', evil, ...why], true],
]

for (const form of ['words', 'JSON'])
  test(`no command carries a character that cannot be seen from outside to the terminal, in ${form}`, async () => {
    const { out: help } = await ops(stage.environment, '--help')
    const verbs = [...help.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, verb = '']) => (verb === 'help' ? [] : [verb]))
    const tried = new Set(commands.map(([words]) => words()[0]))
    for (const verb of verbs) assert.ok(tried.has(verb), `${verb} is tried`)
    async function check([words, shows]: (typeof commands)[number]): Promise<void> {
      const typed = [...words(), ...(form === 'JSON' ? ['--json'] : [])]
      const { out, err } = await ops(stage.environment, ...typed)
      checkHarmless(out, JSON.stringify(typed))
      checkHarmless(err, JSON.stringify(typed))
      assert.equal((out + err).includes('FORGED'), shows, `${JSON.stringify(typed)}: ${out}${err}`)
    }
    for (let from = 0; from < commands.length; from += atOnce) await Promise.all(commands.slice(from, from + atOnce).map(check))
  })

test('no page carries one to the browser', async () => {
  const worker = await stage.start('worker')
  const get = async (path: string) => await (await fetch(`http://127.0.0.1:${worker.port()}${path}`)).text()
  await until(async () => (await get('/deliveries')).includes('evil-1'), 'the journal can be read')
  const typed = encodeURIComponent(evil)
  const paths = ['/', '/deliveries/evil-1', '/dead', '/audit', '/doctor', `/nowhere${typed}`, `/dead?project=${typed}`]
  for (const path of ['/deliveries', ...paths, `/deliveries?since=${typed}`]) {
    const page = await get(path)
    assert.match(page, /FORGED/, path)
    assert.doesNotMatch(page, unseen, path)
  }
})

test('a status that is watched is as harmless', async () => {
  const typed = typeOps(stage.environment, 'status', '--watch')
  await until(() => typed.out().includes('FORGED'), 'it has been shown')
  typed.kill('SIGINT')
  checkHarmless((await typed.said).out, 'status --watch')
})

test('in JSON nothing is lost: it reads as it came', async () => {
  const rows = z.array(z.looseObject({ title: z.string(), kind: z.string() }))
  const [row] = rows.parse(JSON.parse((await ops(stage.environment, 'deliveries', '--json')).out))
  assert.deepEqual([row?.title, row?.kind], [evil, evil])
})
