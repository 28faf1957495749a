// What the service says of its messages is true of all that GitLab sends: here of every body that the tests have, and at
// the end of each stage of what was published there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { parseEvent } from '#shared/event/event.ts'
import { messageOf } from '#shared/event/message.ts'
import { messageSchemaOf, schemaNames } from '#shared/event/message-schema.ts'
import { publishedKinds } from '#shared/event/privacy/kinds.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import type { Json, JsonObject } from '#shared/process/json.ts'
import { openApi } from '../../apps/ingest/documents/openapi.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { bodies } from '../support/kinds-of-bodies.ts'
import { isObject } from '../support/objects.ts'
import { faultsOf } from '../support/schemas.ts'

const receivedAt = '2026-11-23T10:00:00.000Z'
const eventOf = (body: string) => parseEvent({ id: 'an-id', receivedAt, headers: {}, body })
const texts = [...hooksOfVersions().map(({ text }) => text), ...Object.values(bodies).map((body) => JSON.stringify(body))]
const events = texts.map(eventOf).filter((event) => whyPrivate(event, true) === undefined)

const withMore = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(withMore)
  if (!isObject(value)) return value
  return { ...Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withMore(inner)])), something_new: { of: ['GitLab'] } }
}

test('every body of every kind and version of GitLab makes a message as its schema says, also when GitLab adds to it', () => {
  assert.ok(events.length > 100)
  const faults = events.flatMap((event) => {
    const message = messageOf(event, 'https://gitlab.example')
    const more = JSON.stringify(withMore(JSON.parse(message)))
    return [...faultsOf(message), ...faultsOf(more)]
  })
  assert.deepEqual(faults, [])
  const seen = new Set(events.map(({ kind }) => kind))
  assert.deepEqual(
    publishedKinds.filter((kind) => !seen.has(kind) && kind !== 'canary'),
    [],
  )
})

test('a schema tells what is wrong', () => {
  const push: JsonObject = {
    object_kind: 'push',
    project: { id: 1 },
    meta: { id: 'a', dt: receivedAt, kind: 'push', stream: 'gitlab-webhooks' },
  }
  assert.deepEqual(faultsOf(JSON.stringify(push)), [])
  assert.deepEqual(faultsOf(JSON.stringify({ ...push, project: 5 })), ['push: /project must be object,null'])
  assert.deepEqual(faultsOf(JSON.stringify({ ...push, meta: { kind: 'push' } })).length, 3)
  assert.deepEqual(faultsOf('{}').length, 1)
})

test('the description of the service is OpenAPI 3.2, and has every schema', async () => {
  const validator = new Validator()
  for (const url of [undefined, 'https://hooks.example.org/gitlab']) {
    const description = openApi(url)
    assert.deepEqual(await validator.validate(JSON.parse(JSON.stringify(description))), { valid: true })
    assert.equal(validator.version, '3.2')
  }
  const { schemas } = JSON.parse(JSON.stringify(openApi(undefined))).components
  for (const name of schemaNames) assert.deepEqual(schemas[name], JSON.parse(JSON.stringify(messageSchemaOf(name))))
})
