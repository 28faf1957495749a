// Which projects are hidden: the newest event decides, whatever comes when, and no more are remembered than a bound.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { pino } from 'pino'
import { type About, hiddenKeys, openHiddenProjects } from '#shared/queue/hidden-projects.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { frameOf } from '../../apps/ingest/feed/frame.ts'
import { followHidden } from '../../apps/ingest/feed/hidden.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
})
after(() => stage.close())

let count = 0

/** Follows what is hidden under a name of its own. */
function open() {
  const prefix = `hidden-${count++}`
  const projects = openHiddenProjects({ redis: stage.redis, prefix })
  const relay = openRelay({ redis: stage.redis, prefix })
  const goodbye = new AbortController()
  const lines: Redis[] = []
  const follow = () => {
    const line = stage.redis.duplicate()
    lines.push(line)
    return followHidden({ projects: openHiddenProjects({ redis: line, prefix }), signal: goodbye.signal, log: pino({ level: 'silent' }) })
  }
  const close = () => {
    goodbye.abort()
    for (const line of lines) line.disconnect()
  }
  let number = 0
  const publish = (about: About) => relay.publish(`${number++}`, '{}', undefined, { about, isPublic: true })
  return { prefix, projects, publish, follow, close }
}

const message = (about: About) => frameOf({ cursor: '1-0', previous: '0-0', message: '{}', about })
const project = (receivedAt: number): About => ({ receivedAt, names: ['#1', 'a/b'] })

test('after whatever events, in whatever order, the newest one decides, and who has followed knows the same as who comes later', async () => {
  const event = fc.record({ at: fc.integer({ min: 1, max: 6 }), isPublic: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 8 }), async (events) => {
      const { prefix, projects, publish, follow, close } = open()
      const early = follow()
      await early.known
      // Of two that came at once the private one counts; what is public shows only what was hidden before it.
      let hiddenUntil = 0
      for (const { at, isPublic } of events) {
        await (isPublic ? publish(project(at)) : projects.hide(project(at)))
        if (!isPublic) hiddenUntil = Math.max(hiddenUntil, at)
        else if (at > hiddenUntil) hiddenUntil = 0
      }
      const late = follow()
      await late.known
      const expected = [1, 2, 3, 4, 5, 6].map((at) => at <= hiddenUntil)
      const known = (by: typeof late) => [1, 2, 3, 4, 5, 6].map((at) => by.has(message({ receivedAt: at, names: ['a/b'] })))
      assert.deepEqual(known(late), expected)
      await until(() => JSON.stringify(known(early)) === JSON.stringify(expected), 'the log has told it')
      assert.equal(late.has(message({ receivedAt: 1, names: ['#2', 'a/c'] })), false)
      close()
      await stage.redis.del(...hiddenKeys(prefix))
    }),
    { numRuns: 40 },
  )
})

test('a message of a former release is known by what is in it', async () => {
  const { projects, follow, close } = open()
  await projects.hide({ receivedAt: Date.parse('2026-01-02T00:00:00Z'), names: ['#1'] })
  const hidden = follow()
  await hidden.known
  const old = (id: number, dt: string) => {
    const body = { object_kind: 'push', project: { id, path_with_namespace: 'a/b' }, meta: { dt } }
    return frameOf({ cursor: '1-0', previous: '0-0', message: JSON.stringify(body) })
  }
  assert.equal(hidden.has(old(1, '2026-01-01T00:00:00Z')), true)
  assert.equal(hidden.has(old(1, '2026-01-03T00:00:00Z')), false)
  assert.equal(hidden.has(old(2, '2026-01-01T00:00:00Z')), false)
  close()
})

test('no more than 100,000 names are remembered: those that were silent longest go', async () => {
  const { prefix, projects } = open()
  const [key] = hiddenKeys(prefix)
  for (let start = 0; start < 100_000; start += 10_000)
    await stage.redis.zadd(key, ...Array.from({ length: 10_000 }, (_, index) => [start + index + 1, `p/${start + index}`]).flat())
  await projects.hide({ receivedAt: 200_000, names: ['#new', 'p/new'] })
  const all = await projects.all()
  assert.equal(all.size, 100_000)
  assert.deepEqual([all.get('p/new'), all.get('p/0'), all.get('p/1'), all.get('p/2')], [200_000, undefined, undefined, 3])
})
