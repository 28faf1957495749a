// The canary flies the whole way, or the operator learns where it fell.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readSilence } from '#shared/journal/silence.ts'
import { type Flow, openFlow } from '../flow/flow.ts'
import { startAnswering } from '../support/answers.ts'
import { readFeed } from '../support/feed.ts'
import { ops } from '../support/ops.ts'
import { freePort } from '../support/ports.ts'
import { signingKey } from '../support/sign.ts'
import { until } from '../support/until.ts'

let flow: Flow
before(async () => {
  flow = await openFlow()
})
after(() => flow?.close())

const canary = (...args: string[]) => ops({ ...flow.environment, PORT: String(flow.ingest.port()) }, 'canary', '--json', ...args)
const stages = ({ out }: { out: string }) => {
  const { answered, routed, published, read } = JSON.parse(out)
  return [answered, routed, published, read]
}

test('it comes out of the feed, marked, and says how long it took; no other sink acts, and it breaks no silence', async () => {
  const feed = await readFeed(`http://127.0.0.1:${flow.ingest.port()}/sse/`)
  flow.defer(feed.close)
  const said = await canary()
  assert.equal(said.code, 0, said.err)
  const { id, ms } = JSON.parse(said.out)
  assert.ok(ms > 0 && ms < 30_000)
  await until(() => feed.messages.length === 1, 'the feed has it')
  const { object_kind, meta } = JSON.parse(feed.messages[0]?.data ?? '')
  assert.deepEqual([object_kind, meta.id, meta.origin, meta.domain], ['canary', id, 'canary', 'canary'])
  await flow.settled()
  const effects = await flow.database.selectFrom('effects').select('sink').where('delivery', '=', id).execute()
  assert.deepEqual(effects, [{ sink: 'sse' }])
  assert.equal(await readSilence(flow.database), undefined)
})

test('words are for people: where it went, and after how long', async () => {
  const said = await ops(flow.environment, 'canary', '--url', `http://127.0.0.1:${flow.ingest.port()}/hooks`)
  assert.match(said.out, /^canary-[\w-]+ came out of the feed after \d+ ms\.$/m)
})

test('it is signed where that is required', async () => {
  const keys = { SOURCE_SIGNING_KEY: signingKey, SIGNATURE_REQUIRED: 'true' }
  const port = String((await flow.start('ingest', keys)).port())
  const said = await ops({ ...flow.environment, ...keys, PORT: port }, 'canary', '--json')
  assert.deepEqual([said.code, ...stages(said)], [0, true, true, true, true], said.err)
  const unsigned = await ops({ ...flow.environment, PORT: port }, 'canary', '--json')
  assert.match(JSON.parse(unsigned.out).problem, /answers 401, expected 202/)
})

test('where it falls is told: not let in, not routed, not read', async () => {
  const wrong = await ops({ ...flow.environment, SOURCE_TOKEN: 'wrong', PORT: String(flow.ingest.port()) }, 'canary', '--json')
  assert.deepEqual([wrong.code, ...stages(wrong)], [1, false, false, false, false])
  assert.match(JSON.parse(wrong.out).problem, /answers 401, expected 202/)

  const noFeed = await canary('--feed', `${flow.sandbox.gitlab.url}/sse/`)
  assert.match(JSON.parse(noFeed.out).problem, /answers 404 text\/html.*expected a feed/)

  const foreign = { headers: { 'content-type': 'text/event-stream' }, body: 'data: {"meta": {"id": "canary-of-somebody-else"}}\n\n' }
  await using strange = await startAnswering(foreign)
  const elsewhere = await canary('--feed', `${strange.url}/sse/`)
  assert.deepEqual([JSON.parse(elsewhere.out).read, JSON.parse(elsewhere.out).problem], [false, 'The feed has ended.'])

  await flow.queues.sse.pause()
  // In two seconds, if this machine has time for it.
  const routed = await until(async () => {
    const said = await canary('--timeout', '2')
    return stages(said)[1] === true ? said : undefined
  }, 'it is routed')
  assert.deepEqual([routed.code, ...stages(routed)], [1, true, true, false, false])
  await flow.queues.deliveries.pause()
  const accepted = await canary('--timeout', '2')
  assert.deepEqual([accepted.code, ...stages(accepted)], [1, true, false, false, false])
  assert.match(JSON.parse(accepted.out).problem, /longer than 2 s/)
  await flow.queues.sse.resume()
  await flow.queues.deliveries.resume()

  const nowhere = await canary('--url', `http://127.0.0.1:${await freePort()}/hooks`)
  assert.match(JSON.parse(nowhere.out).problem, /cannot be reached: .*ECONNREFUSED/)
})

test('without a token, or with a bad address, it does not start', async () => {
  assert.equal((await ops({ ...flow.environment, SOURCE_TOKEN: '' }, 'canary')).code, 78)
  for (const args of [
    ['--url', 'hooks'],
    ['--timeout', 'long'],
    ['--timeout', '0'],
  ])
    assert.equal((await canary(...args)).code, 2, args.join(' '))
})
