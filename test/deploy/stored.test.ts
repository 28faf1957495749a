// What a release has stored is carried on by the next one: queues, lanes, holds, ledger, relay, journal and spool, each as
// `test/deploy/record.ts` found them then. Never change a recording; add one of each release.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { openQueues, queueNames } from '#sinks/queues.ts'
import { botNotes, verbs } from '../flow/flow.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { putBack } from './stored.ts'

const releases = new URL('../fixtures/releases/', import.meta.url).pathname
const prefix = 'recorded'

let stage: Stage
before(async () => {
  // A recording grows old.
  stage = await openStage({ REDIS_PREFIX: prefix, JOURNAL_KEEP_DAYS: '3650' })
})
after(() => stage?.close())

for (const release of readdirSync(releases)) {
  test(`what the release of ${release} has stored is carried on, once and in order`, async () => {
    const { redis, database, environment, sandbox } = stage
    sandbox.phabricator.addTask({ id: 7, title: 'A task' })
    await putBack({ redis, database, spool: environment.SPOOL_DIR ?? '' }, `${releases}${release}`)
    const ingest = await stage.start('ingest')
    await Promise.all([stage.start('worker'), stage.start('worker')])
    const reader = await readFeed(`http://127.0.0.1:${ingest.port()}/sse/?last_event_id=0-0`)
    stage.defer(reader.close)
    const said = await ops(environment, 'resume', 'sse', '--reason', 'recorded')
    assert.equal(said.code, 0, said.err)

    const effects = async () => await database.selectFrom('effects').select(['id', 'state']).execute()
    await until(() => [2, 7].every((task) => verbs(stage, task) === 'closed reopened merged'), 'the tasks have what they waited for')
    await until(() => reader.messages.length === 8, 'the feed has all messages, and has kept those of then')
    await until(async () => (await effects()).every(({ state }) => state !== 'planned'), 'the journal knows all ends')
    const cursors = reader.messages.map(({ id }) => id ?? '')
    assert.deepEqual(cursors, [...new Set(cursors)].sort())
    const dead = (await effects()).filter(({ state }) => state === 'dead').map(({ id }) => id)
    assert.deepEqual(dead, ['dead/phabricator/T404'])
    const queues = openQueues({ redis, prefix })
    const failed = await Promise.all(queueNames.map(async (name) => await queues[name].getFailed()))
    assert.deepEqual(
      failed.flat().map(({ id }) => id),
      dead,
    )
    assert.equal(verbs(stage, 7), 'closed reopened merged')
    assert.deepEqual(botNotes(stage), [])
  })
}
