import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { z } from 'zod'
import { startSandbox } from './sandbox.ts'
import { seed } from './seed.ts'

const folder = new URL('../fixtures/hooks/', import.meta.url)
const hookSchema = z.looseObject({
  object_kind: z.string().optional(),
  event_name: z.string().optional(),
  project: z.looseObject({ id: z.number(), path_with_namespace: z.string(), visibility_level: z.number() }).optional(),
  object_attributes: z
    .looseObject({ iid: z.number(), title: z.string(), description: z.string(), author_id: z.number(), action: z.string().optional() })
    .optional()
    .catch(undefined),
})

function readHooks() {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
    .map((file) => ({ ...file, hook: hookSchema.parse(JSON.parse(file.text)) }))
}

test('the sample hooks tell of the world the sandbox is seeded with', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { projects, users } = sandbox.gitlab.state
  for (const { name, hook } of readHooks().filter(({ hook }) => hook.project && hook.object_attributes)) {
    const project = projects.find(({ id }) => id === hook.project?.id)
    assert.equal(project?.path, hook.project?.path_with_namespace, name)
    assert.equal(project?.visibility === 'public', hook.project?.visibility_level === 20, name)
    const merge = project?.mergeRequests.find(({ iid }) => iid === hook.object_attributes?.iid)
    assert.equal(merge?.title, hook.object_attributes?.title, name)
    assert.ok(hook.object_attributes?.description.startsWith(merge?.description ?? '?'), name)
    assert.equal(users.find(({ id }) => id === hook.object_attributes?.author_id)?.username, merge?.author, name)
  }
})

test('within a sample hook every private address stands in one place only', () => {
  for (const { name, text } of readHooks()) {
    const addresses = text.match(/[\w-]+@private\.example/g) ?? []
    assert.equal(new Set(addresses).size, addresses.length, name)
  }
})
