// What the page says of an event, in the service and in the browser: of every kind something, and of nothing more than it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseEvent } from '#shared/event/event.ts'
import { messageOf } from '#shared/event/message.ts'
import { messageSchema } from '#shared/event/message-schema.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { told } from '../../apps/ingest/pages/assets/told.js'
import { hook } from '../support/fixtures.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'

const receivedAt = '2026-11-23T10:00:00.000Z'
const messageOfBody = (body: string) => {
  const event = parseEvent({ id: 'an-id', receivedAt, headers: {}, body })
  return whyPrivate(event, true) === undefined ? [messageSchema.parse(JSON.parse(messageOf(event, 'https://gitlab.example')))] : []
}
const sentence = (name: string) => {
  const [message] = messageOfBody(JSON.stringify(hook(name)))
  assert.ok(message)
  const { who, words, what, where, address, story } = told(message)
  return [`${who} ${words} ${what} in ${where}`, address, story]
}

test('who did what where, with links', () => {
  const path = 'repos/releng/gitlab-demo'
  const url = `https://gitlab.example/${path}`
  assert.deepEqual(sentence('merge-request-open'), [
    `alice opened !1 Add a feed of merge requests in ${path}`,
    `${url}/-/merge_requests/1`,
    `merge-requests/${path}/1`,
  ])
  assert.deepEqual(sentence('push'), [`alice pushed 2 commits to feed in ${path}`, url, ''])
})

test('of every body of every version of GitLab something is told, and nothing that is not there', () => {
  for (const { name, text } of hooksOfVersions())
    for (const message of messageOfBody(text)) {
      const { words, kind, dt, ...rest } = told(message)
      assert.ok(words !== '' && kind !== '' && dt === receivedAt, name)
      assert.doesNotMatch([words, ...Object.values(rest)].join(' '), /undefined|null|\[object|NaN/, name)
    }
})

const strange = fc.oneof(fc.jsonValue(), fc.constantFrom('javascript:alert(1)', 'https://a.example/', null, 7))
const parts = ['meta', 'user', 'project', 'object_attributes', 'merge_request', 'issue', 'ref', 'before', 'after', 'url', 'action']
const inside = ['kind', 'uri', 'url', 'iid', 'title', 'action', 'path_with_namespace', 'web_url', 'username', 'name', 'awarded_on_url']
const part = fc.oneof(strange, fc.dictionary(fc.constantFrom(...inside), strange))

test('whatever a message is, what is told is text, and addresses are of the web', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...parts), part),
      fc.constantFrom('push', 'note', 'emoji', 'issue', 'job', 'x'),
      (body, kind) => {
        for (const message of [body, { ...body, meta: { kind } }]) {
          const all = told(
            Object.assign(messageSchema.parse({ meta: { id: '', dt: receivedAt, kind, stream: 'gitlab-webhooks' } }), message),
          )
          for (const value of Object.values(all)) assert.equal(typeof value, 'string')
          for (const address of [all.address, all.home]) assert.match(address, /^(https?:\/\/.*)?$/s)
        }
      },
    ),
  )
})
