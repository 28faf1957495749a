// What is private is on the feed neither live nor later, from the relay nor from the journal; and of a project that is not
// public any more nothing is sent again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { JsonObject } from '#shared/process/json.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { type Reader, readFeed } from '../support/feed.ts'
import { bodies } from '../support/kinds-of-bodies.ts'
import { forked, mark, plants } from '../support/secrets-in-bodies.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let ingest: Process
let worker: Process
let witness: Reader
let sent = 0

before(async () => {
  stage = await openStage({ SINKS_ENABLED: 'sse' })
  ingest = await stage.start('ingest')
  witness = await open('', ingest)
  worker = await stage.start('worker')
})
after(() => stage.close())

async function open(query: string, process_: Process): Promise<Reader> {
  const reader = await readFeed(`http://127.0.0.1:${process_.port()}/sse/?${query}`)
  stage.defer(reader.close)
  return reader
}

async function deliver(...all: object[]): Promise<void> {
  for (const body of all) assert.equal((await post(ingest, body, { 'idempotency-key': `delivery-${sent++}` })).status, 202)
  await until(async () => (await decided()) === sent, 'all are decided on, and in the journal')
}

async function decided(): Promise<number> {
  return (
    await stage.database.selectFrom('decisions').innerJoin('bodies', 'bodies.delivery', 'decisions.delivery').select('sink').execute()
  ).length
}

const published = (count: number) =>
  until(async () => {
    const rows = await stage.database.selectFrom('feed').select('time').execute()
    return witness.messages.length === count && rows.length === count
  }, `${count} are on the feed, and in the journal`)

const forgetInRelay = () => stage.redis.xtrim(`${keyPrefix(stage.environment.REDIS_PREFIX ?? '')}:feed`, 'MAXLEN', 1)

/** All that a reader gets who begins at the beginning, up to the newest there is. */
async function replayed(process_: Process): Promise<Reader['messages']> {
  const reader = await open('last_event_id=0-0', process_)
  await deliver(push('z/end', 99))
  await until(
    () => witness.messages.at(-1)?.id === reader.messages.at(-1)?.id && reader.messages.at(-1)?.data.includes('"z/end"') === true,
    'the end',
  )
  return reader.messages.filter(({ data }) => !data.includes('"z/end"'))
}

const push = (path: string, id: number): JsonObject => ({
  object_kind: 'push',
  project: { id, path_with_namespace: path, visibility_level: 20 },
})

test('what is marked as private reaches no reader, whether live, from the relay, or from the journal', async () => {
  const kinds = Object.values(bodies)
  const planted = plants.map((plant, index) => plant(kinds[index % kinds.length] ?? {}))
  const hidden = [{ object_kind: 'push', event_name: 'key_create', project: { ...(push('a/b', 42).project as JsonObject) }, key: mark }]
  const all = [...kinds, ...planted, ...forked, ...hidden] as JsonObject[]
  await deliver(...all)
  await published(all.length - 1)
  const live = witness.messages.filter(({ data }) => !data.includes('"z/end"'))
  assert.ok(!JSON.stringify(live).includes(mark))
  assert.ok(JSON.stringify(all).includes(mark))
  assert.ok(!(await page(ingest)).includes(mark))
  assert.deepEqual(await replayed(await stage.start('ingest')), live)
  await forgetInRelay()
  assert.deepEqual(await replayed(await stage.start('ingest')), live)
})

const update = (path: string, id: number, project_visibility: string) => ({
  event_name: 'project_update',
  project_id: id,
  path_with_namespace: path,
  project_visibility,
})

test('of a project whose newest event says that it is not public nothing is sent again, from nowhere, until it is public', async () => {
  const later = await stage.start('ingest')
  await deliver(push('c/closing', 7), push('c/open', 8), push('c/former', 7), {
    ...push('c/Closing', 0),
    project: { path_with_namespace: 'c/Closing', visibility_level: 20 },
  })
  const all = ['c/closing', 'c/open', 'c/former', 'c/Closing']
  await until(() => witness.messages.at(-1)?.data.includes('c/Closing') === true, 'they are on the feed')
  const again = async (process_: Process) =>
    (await replayed(process_)).flatMap(pathOf).filter((path) => path === 'gap' || path.startsWith('c/'))
  assert.deepEqual(await again(ingest), all)
  for (const path of all) assert.ok((await page(ingest)).includes(path), 'and on the page')

  await deliver(update('c/closing', 7, 'private'))
  assert.deepEqual(await again(ingest), ['c/open'], 'from the memory of the process')
  assert.doesNotMatch(await page(ingest), /c\/(closing|former)/i, 'on the page')
  assert.deepEqual(await again(later), ['c/open'], 'of one that waited')
  assert.deepEqual(await again(await stage.start('ingest')), ['c/open'], 'from the relay')
  await forgetInRelay()
  assert.deepEqual(await again(await stage.start('ingest')), ['c/open'], 'from the journal')
  assert.deepEqual(await again(await stage.start('ingest', { FEED_PRIVATE: 'true' })), all, 'with FEED_PRIVATE')

  const live = witness.messages.length
  await deliver(push('c/closing', 7))
  await until(() => witness.messages.slice(live).some(({ data }) => data.includes('"c/closing"')), 'what is public again is live')
  assert.deepEqual(await again(await stage.start('ingest')), [...all, 'c/closing'], 'and sent again')
})

async function page(process_: Process): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${process_.port()}/`)).text()
}

function pathOf({ event, data }: Reader['messages'][number]): string[] {
  return event === 'gap' ? ['gap'] : [JSON.parse(data).project?.path_with_namespace ?? '']
}

test('where events of private projects are published, both processes say at their start who can read them', async () => {
  const says = ({ lines }: Process) => lines.some(({ msg }) => msg?.includes('go to everybody who can reach the feed') === true)
  for (const app of ['ingest', 'worker'] as const)
    assert.equal(says(await stage.start(app, { FEED_PRIVATE: 'true', REDIS_PREFIX: 'elsewhere' })), true)
  for (const usual of [ingest, worker]) assert.equal(says(usual), false)
})
