// `import` takes any file: what is no delivery is told with its line and left out, and the rest is handed in at the
// router's pace.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { migrate } from '#shared/journal/database.ts'
import { openQueue } from '#shared/queue/open-queue.ts'
import { deliveriesOf } from '../support/deliveries.ts'
import { ops, typeOps } from '../support/ops.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let file: string
before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-import-'))
  stage.defer(() => rm(directory, { recursive: true }))
  file = join(directory, 'events.log')
})
after(() => stage?.close())

const receivedAt = '2026-11-01T00:00:00.000Z'
const line = (id: string, more: object = {}) => JSON.stringify({ id, receivedAt, headers: {}, body: '{}', ...more })

test('lines that cannot be deliveries of ours are left out, each with its number, and the others are handed in', async () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString()
  const bad = [
    line(''),
    line('\ud800'),
    line('with a blank'),
    line('x'.repeat(201)),
    line('soon', { receivedAt: inAnHour }),
    '[]',
    '{',
    line('early', { receivedAt: '0001-01-01T00:00:00Z' }),
  ]
  // A separator of lines to some, but not to JSON.
  const good = [line('one', { body: '{"title":"a\u2028b"}' }), line('two')]
  await writeFile(file, `${bad.join('\n')}\n\n${good.join('\r\n')}`)
  const dry = await ops(stage.environment, 'import', file, '--dry-run')
  assert.deepEqual([dry.code, dry.out], [1, '2 deliveries would be handed in, 0 of which the journal knows, 8 lines left out\n'])
  assert.deepEqual(await deliveriesOf(stage).ids(), [])
  const { code, out, err } = await ops(stage.environment, 'import', file, '--reason', 'to be sure', '--json')
  assert.equal(code, 1)
  const said = JSON.parse(out)
  assert.deepEqual([said.imported, said.bad.map((one: { line: number }) => one.line)], [2, [1, 2, 3, 4, 5, 6, 7, 8]])
  assert.match(err, /events\.log:1: id: expected 1 to 200 printable ASCII characters without blanks\n/)
  assert.match(err, /events\.log:5: receivedAt: it lies in the future\n/)
  assert.match(err, /events\.log:6: expected an object/)
  assert.match(err, /events\.log:8: receivedAt: expected a time from 1970 to 9999\n/)
  assert.deepEqual(await deliveriesOf(stage).ids(), ['one', 'two'])
  assert.equal((await deliveriesOf(stage).find('one'))?.body, '{"title":"a\u2028b"}')
})

test('where too many wait it says so, and Ctrl-C ends it with how far it came on record', async () => {
  const queue = openQueue({ redis: stage.redis, prefix: stage.environment.REDIS_PREFIX ?? '' }, 'deliveries')
  await queue.addBulk(Array.from({ length: 5000 }, () => ({ name: 'delivery', data: {} })))
  await writeFile(file, Array.from({ length: 600 }, (_, index) => `${line(`many-${index}`)}\n`).join(''))
  const typed = typeOps(stage.environment, 'import', file, '--reason', 'all of it', '--json')
  await until(() => /5\d{3} deliveries wait to be routed/.test(typed.err()), 'it says what it waits for')
  typed.kill('SIGINT')
  const { code, out, err } = await typed.said
  assert.equal(code, 1)
  assert.match(err, /interrupted after 500 deliveries/)
  assert.deepEqual([JSON.parse(out).imported, JSON.parse(out).interrupted], [500, true])
  const act = await stage.database.selectFrom('acts').select(['verb', 'count', 'reason']).orderBy('id', 'desc').executeTakeFirst()
  assert.deepEqual(act, { verb: 'import', count: 500, reason: 'all of it' })
})
