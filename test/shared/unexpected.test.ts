// What GitLab sends that is not known of it: told by field, type and what was expected, and nothing of what it is known to send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { parseEvent } from '#shared/event/event.ts'
import { inSentence, unexpectedIn, watchedFields } from '#shared/event/unexpected.ts'
import type { Json, JsonObject } from '#shared/process/json.ts'
import { watchUnexpected } from '#sinks/unexpected.ts'
import { hook } from '../support/fixtures.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { isObject } from '../support/objects.ts'

const open = hook('merge-request-open')
const withAttributes = (more: JsonObject): JsonObject => ({ ...open, object_attributes: { ...part(open.object_attributes), ...more } })
const part = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})

test('nothing is unexpected in what GitLab is known to send, in any version', () => {
  const found = hooksOfVersions().flatMap(({ name, body }) => unexpectedIn(body).map((one) => `${name}: ${inSentence([one])}`))
  assert.deepEqual(found, [])
})

const rows: Array<[body: JsonObject, said: string]> = [
  [withAttributes({ iid: '12' }), 'object_attributes.iid is a string, expected a whole number'],
  [withAttributes({ description: { raw: 'Bug: T1' } }), 'object_attributes.description is an object, expected a string'],
  [
    withAttributes({ draft: 0, iid: -1 }),
    'object_attributes.iid is the number -1, expected a whole number; object_attributes.draft is the number 0, expected a boolean',
  ],
  [
    { ...open, project: { ...part(open.project), visibility_level: 'open' } },
    'project.visibility_level is a string, expected a visibility such as 20 or public',
  ],
  [{ ...open, project: [] }, 'project is an array, expected an object'],
  [{ ...open, object_kind: 'merge_train' }, 'object_kind is "merge_train", expected a kind that is known'],
  [withAttributes({ iid: null, description: '', draft: null }), ''],
]
for (const [body, said] of rows) {
  test(said === '' ? 'what is missing or empty is not unexpected' : `it says: ${said}`, () => {
    assert.equal(inSentence(unexpectedIn(body)), said)
  })
}

test('each event is counted, and each kind of surprise is warned about once and kept, forty of them', async () => {
  const lines: string[] = []
  const metrics = new Registry()
  const watch = watchUnexpected({ metrics, log: pino({}, { write: (line) => void lines.push(line) }) })
  const eventOf = (body: JsonObject, id: string) =>
    parseEvent({ id, receivedAt: '2026-11-30T10:00:00.000Z', headers: {}, body: JSON.stringify(body) })
  for (const id of ['one', 'two']) {
    const event = eventOf(withAttributes({ iid: '12' }), id)
    watch.look(event)
    watch.look(event)
  }
  for (let index = 0; index < 50; index++) watch.look(eventOf({ object_kind: `new_${index}` }, `kind-${index}`))
  const values = await metrics.getSingleMetricAsString('gitlab_webhooks_unexpected_total')
  assert.match(values, /\{field="object_attributes\.iid"\} 2\n/)
  assert.match(values, /\{field="object_kind"\} 50\n/)
  assert.equal(values.split('\n').filter((line) => line.includes('{')).length, watchedFields.length)
  assert.equal(lines.filter((line) => line.includes('object_attributes.iid')).length, 1)
  assert.deepEqual([lines.length, watch.noted().length, watch.noted()[0]?.delivery], [40, 40, 'one'])
})
