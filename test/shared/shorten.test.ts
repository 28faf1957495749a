// A message that is too long for a line is cut where it hurts least, and says where.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fitted, messageOf } from '#shared/event/message.ts'
import { forThePublic } from '#shared/event/privacy.ts'
import type { Json } from '#shared/process/json.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import { eventOf } from '../support/plans.ts'

const mostBytes = 64 * 1024 - 'data: '.length - '"cursor":"999999999999999-9999999999",'.length

function cutOf(body: object): { message: Record<string, Json>; cut: string[]; bytes: number } {
  const line = messageOf(eventOf(body), 'https://gitlab.example')
  const message = JSON.parse(line)
  return { message, cut: message.meta.cut, bytes: Buffer.byteLength(line) }
}

const attributes = (more: object) => {
  const body = hook('merge-request-open')
  assert.ok(isObject(body.object_attributes))
  return { ...body, object_attributes: { ...body.object_attributes, ...more } }
}

test('a message of usual length is not cut, and names nothing as cut', () => {
  assert.equal(cutOf(hook('merge-request-open')).cut, undefined)
  assert.equal(cutOf(attributes({ description: 'd'.repeat(50_000) })).cut, undefined)
})

test('of a long text the beginning stays, and all else as it was', () => {
  const title = 'A title of some length'
  const description = 'ü"\n'.repeat(400_000)
  const { message, cut, bytes } = cutOf(attributes({ title, description }))
  const { object_attributes: got } = message
  assert.ok(isObject(got) && typeof got.description === 'string')
  assert.deepEqual(cut, ['object_attributes.description'])
  assert.ok(bytes > 60_000 && bytes <= mostBytes, String(bytes))
  assert.ok(got.description.endsWith('…') && description.startsWith(got.description.slice(0, -1)))
  assert.deepEqual({ ...got, description }, attributes({ title, description }).object_attributes)
})

test('of several texts the longest are cut, to one length', () => {
  const commits = [10_000, 50_000, 60_000].map((length, id) => ({ id: `c${id}`, message: 'm'.repeat(length) }))
  const { message, cut } = cutOf({ ...hook('push'), commits })
  assert.deepEqual(cut, ['commits[].message'])
  assert.ok(Array.isArray(message.commits))
  const lengths = message.commits.map((commit) => (isObject(commit) && typeof commit.message === 'string' ? commit.message.length : 0))
  assert.equal(lengths[0], 10_000)
  assert.equal(lengths[1], lengths[2])
  assert.ok((lengths[1] ?? 0) > 20_000)
})

test('where texts are not enough lists are cut, their counts stay', () => {
  const commits = Array.from({ length: 5000 }, (_, id) => ({ id: `c${id}`, message: 'm'.repeat(300) }))
  const { message, cut } = cutOf({ ...hook('push'), commits, total_commits_count: 5000 })
  assert.deepEqual(new Set(cut), new Set(['commits', 'commits[].message']))
  assert.ok(Array.isArray(message.commits) && message.commits.length > 50)
  assert.deepEqual([message.total_commits_count, message.object_kind], [5000, 'push'])
})

test('ids, states and addresses are never cut, and names last of all', () => {
  const long = { source_branch: 'b'.repeat(10_000), url: `https://gitlab.example/${'u'.repeat(1500)}`, state: 's'.repeat(300) }
  const { message, cut } = cutOf(attributes({ ...long, description: 'd'.repeat(100_000) }))
  const { object_attributes: got } = message
  assert.ok(isObject(got))
  assert.deepEqual(cut, ['object_attributes.description'])
  assert.deepEqual([got.source_branch, got.url, got.state], Object.values(long))
  const { message: other, cut: names } = cutOf(attributes({ ...long, source_branch: 'b'.repeat(100_000) }))
  assert.ok(isObject(other.object_attributes))
  assert.ok(names.includes('object_attributes.source_branch'))
  assert.deepEqual([other.object_attributes.url, other.object_attributes.state], [long.url, long.state])
})

test('whatever the body, the line is short enough, is JSON, keeps what it is about and says what was cut', () => {
  const key = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('id', 'name', 'url', 'x'.repeat(5000)))
  const times = fc.integer({ min: 1, max: 40_000 })
  const text = fc.tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }), times).map(([one, count]) => one.repeat(count))
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      fc
        .tuple(tie('value'), fc.integer({ min: 0, max: 3000 }))
        .map(([one, count]) => Array.from({ length: count }, (): Json => (typeof one === 'string' ? one.slice(0, 99) : 1))),
      fc
        .integer({ min: 0, max: 5000 })
        .map((count): Json => Object.fromEntries(Array.from({ length: count }, (_, index) => [`field ${index}`, index]))),
    ),
  }))
  const body = fc.dictionary(key, value, { maxKeys: 5 })
  const check = (given: Record<string, Json>) => {
    const line = messageOf(eventOf(JSON.stringify({ ...given, object_kind: 'push' })), 'https://gitlab.example')
    assert.ok(Buffer.byteLength(line) <= mostBytes, String(Buffer.byteLength(line)))
    const { object_kind, meta } = JSON.parse(line)
    assert.deepEqual([object_kind, meta.kind], ['push', 'push'])
    const whole = Buffer.byteLength(JSON.stringify(forThePublic(given)))
    if (whole > mostBytes) assert.ok(meta.cut.length > 0)
    if (whole < mostBytes - 2000) assert.equal(meta.cut, undefined)
    assert.ok(fitted(line) === line, 'it is not cut again')
  }
  fc.assert(fc.property(body, check), { numRuns: 40 })
})
