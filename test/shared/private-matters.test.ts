// Whatever is private, wherever it stands in a body of whatever kind, is not in the message; and what is not private is.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { messageOf } from '#shared/event/message.ts'
import { forThePublic, whyPrivate } from '#shared/event/privacy.ts'
import type { Json, JsonObject } from '#shared/process/json.ts'
import { bodies, changedAt, pathsIn } from '../support/kinds-of-bodies.ts'
import { eventOf } from '../support/plans.ts'
import { forked, mark, planted, plants } from '../support/secrets-in-bodies.ts'

function publish(body: object): string | undefined {
  const event = eventOf(body)
  return whyPrivate(event, false) === undefined ? messageOf(event, 'https://gitlab.example') : undefined
}

describe('each kind of a public project is published:', () => {
  for (const [what, body] of Object.entries(bodies)) test(what, () => assert.equal(whyPrivate(eventOf(body), false), undefined))
})

test('nothing that was marked as private is in the message, which is published all the same', () => {
  fc.assert(
    fc.property(planted(plants), (body) => {
      const message = publish(body)
      assert.ok(message !== undefined)
      assert.ok(!message.includes(mark), message)
    }),
    { numRuns: 5000 },
  )
})

test('each way to bring something private into a body is one, in each kind', () => {
  for (const body of Object.values(bodies)) {
    for (const plant of plants) {
      const given = plant(body)
      assert.ok(JSON.stringify(given).includes(mark))
      assert.ok(!publish(given)?.includes(mark), JSON.stringify(given))
    }
  }
})

test('of a fork that is not public, or is gone, nothing is told: neither its branch nor its commits, nor where they are', () => {
  assert.ok(forked.length >= 20)
  for (const body of forked) {
    const message = publish(body as JsonObject)
    assert.ok(message !== undefined)
    assert.ok(JSON.stringify(body).includes(mark) && !message.includes(mark), message)
    assert.match(message, /"target_branch":/)
  }
})

const flags: Json[] = [true, 'true', 'True', ' TRUE ', 1, '1', 'yes', 'on', [], {}, { previous: false, current: true }]
const words: Json[] = [0, 10, 30, '0', '20', 'private', 'internal', 'Public', false, true, null, [20], { x: 20 }]
const isTakenOut = (name: string) => ['variables', 'source', 'wiki'].includes(name)

test('a body with anything confidential in it, or a word against its being public, is not published', () => {
  const field = (names: string[], values: Json[]) =>
    fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)).map(([name, value]) => (object: JsonObject) => ({
      ...object,
      [name]: value,
    }))
  const secret = fc.oneof(
    field(['confidential', 'internal', 'Confidential', 'is_internal'], flags),
    field(['visibility_level', 'visibility', 'project_visibility', 'Visibility_Level', 'repository_visibility'], words),
    field(['snippet', 'project_snippet'], [{ title: 'x' }, { visibility_level: 0 }]),
  )
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(bodies)), fc.nat(), secret, (body, place, plant) => {
      const paths = pathsIn(body, isTakenOut)
      assert.equal(publish(changedAt(body, paths[place % paths.length] ?? [], plant) as JsonObject), undefined)
    }),
    { numRuns: 3000 },
  )
})

const keep = 'K33p'
const keepers = [
  { title: keep },
  { list: [keep, { deep: [[keep]] }], nothing: null, number: 1 },
  { description: `Mail ${keep}@mail.example, clone git@${keep}:a/b or ssh://git@${keep}/a/b, see https://host.example/@${keep}?a=b@c` },
  { commits: [{ author: { name: 'A', email: `${keep}@commits.example` } }] },
  { last_commit: { committer: { name: 'A', email: `${keep}@commits.example` }, author_email: `${keep}@commits.example` } },
  { variables: [{ key: keep, value: 'x', variable_type: 'file' }] },
  { trigger_variables: { [keep]: 'x' } },
  { upstream_project: { id: 99, path_with_namespace: keep, visibility_level: 20 } },
  { source_pipeline: { project: { id: 99, path_with_namespace: keep, visibility_level: 20 }, job_id: 1 } },
  { changes: { title: { previous: keep, current: keep }, confidential: { previous: false, current: false } } },
  { milestone: { title: keep, confidential: false, internal: 'false', visibility_level: 20 } },
  { tokens_used: keep, secretary: keep, emailed: false, source: keep },
]

test('what is not private stays as it was', () => {
  const plant = keepers.map((more) => (object: JsonObject) => ({ ...object, ...more }))
  const count = (text: string) => text.split(keep).length
  fc.assert(
    fc.property(
      planted(plant, (name) => /^(source|variables|changes|trigger_variables)$/.test(name)),
      (body) => {
        const message = publish(body)
        assert.ok(message !== undefined)
        assert.equal(count(message), count(JSON.stringify(body)), message)
      },
    ),
    { numRuns: 3000 },
  )
})

describe('a body in which nothing is private is published as it came:', () => {
  for (const [what, body] of Object.entries(bodies)) {
    const { owner_email: _, owners: __, ...rest } = body
    const whole = JSON.parse(
      JSON.stringify(rest)
        .replaceAll(/"(user_)?email":"[^"]*@private.example",?/g, '')
        .replaceAll(',}', '}'),
    )
    test(what, () => assert.equal(forThePublic(whole), whole))
  }
})

test('what is nested so deep that it cannot be written down again is not published, and nothing breaks', () => {
  for (const depth of [101, 3000, 9000]) {
    const body = `{"object_kind": "push", "project": {"id": 42, "path_with_namespace": "a/b", "visibility_level": 20}, "x": ${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.equal(whyPrivate(eventOf(body), false), 'it is nested more than 100 levels deep')
  }
})
