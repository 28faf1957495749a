// Records what this release stores, for the tests of the releases after it: `node test/deploy/record.ts <directory>`. An effect
// of each sink is done, three wait in one lane for a Phabricator that is down, messages wait for a feed that is paused, one is a
// dead letter, deliveries wait for a router, and one lies in the spool.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { botNotes, openFlow, verbs } from '../flow/flow.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import { ops } from '../support/ops.ts'
import { startRedis } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { record } from './stored.ts'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('expected a directory')
const prefix = 'recorded'

function mergeRequest(action: string, task: number): object {
  const body = hook('merge-request-open')
  if (!isObject(body.object_attributes)) throw new Error('The fixture is not about a merge request.')
  return {
    ...body,
    object_attributes: { ...body.object_attributes, action, description: `Bug: T${task}`, updated_at: new Date().toISOString() },
  }
}

const server = await startRedis()
const flow = await openFlow(() => ({ REDIS_PREFIX: prefix, REDIS_URL: server.url }))
flow.defer(() => server.stop())
const redis = flow.redis.duplicate({ port: server.port })
flow.defer(() => redis.disconnect())
const { phabricator } = flow.sandbox
phabricator.addTask({ id: 7, title: 'A task' })
try {
  await flow.send(mergeRequest('open', 7), 'done')
  await flow.send(mergeRequest('open', 404), 'dead')
  await until(() => verbs(flow, 7) === 'opened' && botNotes(flow).length === 1, 'the first is done')
  await until(
    async () => (await flow.database.selectFrom('effects').select('id').where('state', '=', 'dead').execute()).length === 1,
    'the second is a dead letter',
  )
  await ops(flow.environment, 'pause', 'sse', '--reason', 'to be recorded')
  await phabricator.down()
  for (const action of ['update', 'close', 'reopen']) await flow.send(mergeRequest(action, 7), `waits-to-${action}`)
  await until(async () => (await flow.database.selectFrom('deliveries').select('id').execute()).length === 5, 'all are in the journal')
  await flow.worker.stop()
  await flow.send(mergeRequest('merge', 7), 'waits-for-a-router')
  await flow.send(hook('push'), 'waits-for-a-router-too')
  await record({ redis, database: flow.database, prefix, spool: '' }, directory)
  await server.stop()
  await flow.send(mergeRequest('approved', 7), 'spooled')
  await cp(flow.environment.SPOOL_DIR ?? '', join(directory, 'spool'), { recursive: true })
} finally {
  await flow.close()
}
process.exit()
