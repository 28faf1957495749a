// Bodies of many GitLab versions, where they are at hand, go through the whole service and nothing is left lying.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { queueNames } from '#shared/queue/queues.ts'
import { tasksIn } from '#sinks/phabricator/bug-lines.ts'
import { newMergeRequest, newProject } from '../sandbox/forge.ts'
import { eventOf } from '../support/plans.ts'
import { noHooks, recordedHooks } from '../support/recorded-hooks.ts'
import { type Flow, openFlow } from './flow.ts'

let flow: Flow

before(async () => {
  if (noHooks === false) flow = await openFlow()
})
after(() => flow?.close())

// The projects, merge requests and tasks a body tells of.
function know(text: string): void {
  const { mergeRequest } = eventOf(text)
  if (!mergeRequest) return
  const { gitlab, phabricator } = flow.sandbox
  const { projectId, projectPath: path, iid, description } = mergeRequest
  let project = gitlab.state.projects.find((one) => one.id === projectId || one.path === projectId)
  if (!project) {
    project = newProject({ id: typeof projectId === 'number' ? projectId : 9000 + gitlab.state.projects.length, path })
    gitlab.state.projects.push(project)
  }
  if (!project.mergeRequests.some((one) => one.iid === iid))
    project.mergeRequests.push(newMergeRequest({ iid, title: 'x', author: 'alice' }))
  for (const id of tasksIn(description, phabricator.url)) {
    if (!phabricator.state.tasks.some((task) => task.id === id)) phabricator.addTask({ id, title: 'x' })
  }
}

test('every body that GitLab is known to have sent goes through without a dead letter', { skip: noHooks }, async () => {
  const hooks = recordedHooks()
  for (const { text } of hooks) know(text)
  for (const { name, body } of hooks) await flow.send(body, name)
  await flow.settled()
  for (const name of queueNames) assert.deepEqual(await flow.dead(name), [], name)
  const rows = await flow.database.selectFrom('deliveries').select('id').execute()
  assert.deepEqual(rows.map(({ id }) => id).sort(), hooks.map(({ name }) => name).sort())
  assert.deepEqual(flow.sandbox.gitlab.state.commands, [])
  assert.deepEqual(flow.sandbox.phabricator.state.madeByMistake, [])
})
