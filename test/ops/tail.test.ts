// `tail`: the feed as it grows, a line an event.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { hookText } from '../support/fixtures.ts'
import { ops, typeOps } from '../support/ops.ts'
import { publisherOf } from '../support/relay.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let publish: (id: string, hook: string) => Promise<unknown>
before(async () => {
  stage = await openStage()
  const publishAll = publisherOf(stage)
  publish = (id, hook) => {
    const body = JSON.parse(hookText(hook, stage.sandbox.gitlab.url))
    const meta = { id, dt: new Date().toISOString(), kind: body.object_kind ?? body.event_name, stream: 'gitlab-webhooks' }
    return publishAll([{ ...body, meta }])
  }
})
after(() => stage?.close())

test('it follows the feed without any other process, and ends at Ctrl-C with 0', async () => {
  await publish('before', 'push')
  const typed = typeOps(stage.environment, 'tail')
  // It begins with what comes after it has looked for the newest, which cannot be seen from outside.
  let count = 0
  await until(async () => {
    await publish(`live-${count++}`, 'merge-request-open')
    return typed.out() !== ''
  }, 'a line has come')
  typed.kill('SIGINT')
  const { code, out } = await typed.said
  assert.equal(code, 0)
  assert.match(out, /^\S+Z {2}merge_request +open +repos\/releng\/gitlab-demo!1 +by alice +live-\d+\n/)
  assert.doesNotMatch(out, /before/)
})

test('it begins further back, chooses by filters, and ends after so many', async () => {
  await publish('pushed', 'push')
  await publish('closed', 'merge-request-close')
  const ids = async (...args: string[]) => {
    const { code, out } = await ops(stage.environment, 'tail', '--since', '1h', '--json', ...args)
    assert.equal(code, 0)
    return out.split('\n').flatMap((line) => (line === '' ? [] : [String(JSON.parse(line).id)]))
  }
  assert.deepEqual(await ids('--kind', 'push', '--limit', '2'), ['before', 'pushed'])
  assert.deepEqual((await ids('--mr', 'repos/releng/gitlab-demo!1', '--text', 'Add feed', '--limit', '1')).length, 1)
  assert.deepEqual((await ids('--project', '*/gitlab-demo', '--limit', '3')).length, 3)
  assert.deepEqual(await ids('--id', 'push', '--sink', 'sse', '--limit', '1'), ['pushed'])
  // Only a star stands for anything, as in every other command.
  const [first, second] = [await ids('--project', 'repos/releng/gitlab-dem?', '--until', '0s'), await ids('--id', 'b', '--until', '0s')]
  assert.deepEqual([first, second], [[], ['before']])
})

test('a filter that makes no sense here is bad usage', async () => {
  assert.equal((await ops(stage.environment, 'tail', '--task', 'T1')).code, 2)
  assert.equal((await ops(stage.environment, 'tail', '--since', 'yesterday')).code, 2)
})
