// A whole id means that delivery and no other, in every command; what is no whole id is how ids begin.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { migrate } from '#shared/journal/database.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { ops } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'

const ids = ['ops-2', 'ops-20', 'ops-21', 'ops%2', 'alone-3', 'alone-30']
const at = new Date(Date.now() - 60_000)
let stage: Stage

before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  for (const id of ids) await insert(id)
})
after(() => stage?.close())

// A delivery with a dead letter; of the last two only the letters are in the journal yet.
async function insert(id: string): Promise<void> {
  const told = { received_at: at, kind: 'push', project: null }
  const row = { id, ...told, action: null, iid: null, username: null, title: null, origin: 'hook' }
  if (!id.startsWith('alone')) await stage.database.insertInto('deliveries').values(row).execute()
  const ended = { state: 'dead' as const, reason: 'no', error: '0123456789ab', link: null, made: null, attempts: 1, ended_at: at }
  const effect = { id: `${id}/phabricator/T1`, delivery: id, sink: 'phabricator', order_key: 'T1', task: 1, since: at }
  await stage.database
    .insertInto('effects')
    .values({ ...effect, ...ended, ...told })
    .execute()
}

const rows = z.array(z.looseObject({ id: z.string() }))
async function idsOf(...words: string[]): Promise<string[]> {
  const { code, out, err } = await ops(stage.environment, ...words, '--json')
  assert.equal(code, 0, err)
  return rows.parse(JSON.parse(out)).map(({ id }) => id.replace('/phabricator/T1', ''))
}

test('lists hold the one delivery whose whole id was given, or all whose ids begin so', async () => {
  assert.deepEqual(await idsOf('deliveries', '--id', 'ops-2'), ['ops-2'])
  assert.deepEqual((await idsOf('deliveries', '--id', 'ops-')).toSorted(), ['ops-2', 'ops-20', 'ops-21'])
  assert.deepEqual(await idsOf('deliveries', '--id', 'ops-2', '--kind', 'merge_request'), [])
  assert.deepEqual(await idsOf('deliveries', '--id', 'ops%2'), ['ops%2'])
  assert.deepEqual(await idsOf('dead', '--id', 'ops-2'), ['ops-2'])
  assert.deepEqual((await idsOf('dead', '--id', 'ops-')).toSorted(), ['ops-2', 'ops-20', 'ops-21'])
  assert.deepEqual(await idsOf('dead', '--id', 'alone-3'), ['alone-3'])
  assert.deepEqual((await idsOf('dead', '--id', 'alone')).toSorted(), ['alone-3', 'alone-30'])
})

test('what is chosen by a whole id is changed alone', async () => {
  const said = await ops(stage.environment, 'discard', '--id', 'ops-2', '--reason', 'never mind')
  assert.equal(said.out, '1 dead letters discarded\n')
  const left = await stage.database.selectFrom('effects').select('delivery').where('state', '=', 'discarded').execute()
  assert.deepEqual(left, [{ delivery: 'ops-2' }])
})

test('tail shows the one whose whole id was given', async () => {
  const relay = openRelay({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' })
  for (const id of ['ops-20', 'ops-2', 'ops-21']) {
    const meta = { id, dt: new Date().toISOString(), kind: 'push' }
    await relay.publish(id, JSON.stringify({ object_kind: 'push', meta }))
  }
  const tail = async (id: string) => {
    const { out } = await ops(stage.environment, 'tail', '--since', '1h', '--until', '0s', '--id', id, '--json')
    return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).id]))
  }
  assert.deepEqual(await tail('ops-2'), ['ops-2'])
  assert.deepEqual(await tail('ops-'), ['ops-20', 'ops-2', 'ops-21'])
})
