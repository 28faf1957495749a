// Bodies of many GitLab versions go through the whole service and nothing is left lying.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { tasksIn } from '#sinks/phabricator/bug-lines.ts'
import { queueNames } from '#sinks/queues.ts'
import { newMergeRequest, newProject } from '../sandbox/forge.ts'
import { hooksOfVersions } from '../support/hooks-of-versions.ts'
import { eventOf } from '../support/plans.ts'
import { type Flow, openFlow } from './flow.ts'

let flow: Flow

before(async () => {
  flow = await openFlow()
})
after(() => flow.close())

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

test('every body of every version of GitLab goes through without a dead letter', async () => {
  const hooks = hooksOfVersions().map((hook) => ({ ...hook, id: hook.name.replaceAll(/\W+/g, '-') }))
  for (const { text } of hooks) know(text)
  for (const { id, body } of hooks) await flow.send(body, id)
  await flow.settled()
  for (const name of queueNames) assert.deepEqual(await flow.dead(name), [], name)
  const rows = await flow.database.selectFrom('deliveries').select('id').execute()
  assert.deepEqual(rows.map(({ id }) => id).sort(), hooks.map(({ id }) => id).sort())
  assert.deepEqual(flow.sandbox.gitlab.state.commands, [])
  assert.deepEqual(flow.sandbox.phabricator.state.madeByMistake, [])
})
