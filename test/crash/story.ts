// What happens on GitLab in one round: merge requests that are opened, changed, closed, reopened and merged, and pushes
// in between. Each delivery knows what it should bring about, worked out here and not by the service's own code.
import type { JsonObject } from '#shared/process/json.ts'
import { newMergeRequest } from '../sandbox/forge.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { demoProject } from '../sandbox/seed.ts'
import { hook } from '../support/fixtures.ts'
import type { Random } from './random.ts'

/** `unlessNamed`: only if the merge request was not named on the task before. */
export type Comment = { task: number; text: string; unlessNamed: boolean }

export type Delivery = {
  key: string
  body: (now: Date) => JsonObject
  comments: Comment[]
  /** Whether it happened days before it is sent. */
  isOld: boolean
  /** Whether it belongs on the feed. */
  isPublic: boolean
  /** Whether it makes reviewers be mentioned, if none was before. */
  mentions: boolean
}

/** Deliveries that come one after another: a merge request's, or a branch's pushes. `name` is the merge request's address. */
export type Strand = { name: string; deliveries: Delivery[] }

const secretProject = { id: 43, path: 'repos/releng/secret-demo' }
const mostTask = 60
const dayMs = 24 * 3600 * 1000
const verbs = { open: 'opened', reopen: 'reopened', close: 'closed', merge: 'merged', update: 'updated' }
type Action = keyof typeof verbs

/** Makes the tasks and `merges` merge requests in `sandbox`, and what will be delivered of them. */
export function writeStory({
  sandbox,
  random,
  merges,
  pushes,
}: {
  sandbox: Sandbox
  random: Random
  merges: number
  pushes: number
}): Strand[] {
  for (let id = 6; id <= mostTask; id++) sandbox.phabricator.addTask({ id, title: `Task ${id}` })
  const strands = Array.from({ length: merges }, (_, index) => mergeRequest(sandbox, random.fork(), 100 + index))
  strands.push({ name: 'pushes', deliveries: Array.from({ length: pushes }, (_, index) => push(`push-${index}`)) })
  return strands
}

function push(key: string): Delivery {
  return { key, comments: [], isOld: false, isPublic: true, mentions: false, body: () => ({ ...hook('push'), checkout_sha: key }) }
}

function mergeRequest(sandbox: Sandbox, random: Random, iid: number): Strand {
  const isPublic = random.chance(0.75)
  const project = isPublic ? demoProject : secretProject
  const address = `${sandbox.gitlab.url}/${project.path}/-/merge_requests/${iid}`
  // Odd tasks are named in descriptions, even ones in commits first, and perhaps in the description of a later event.
  const free = Array.from({ length: 20 }, (_, index) => 7 + 2 * index)
  const take = () => free.splice(random.whole(0, free.length - 1), 1)
  const described = random.chance(0.8) ? [...take(), ...(random.chance(0.4) ? take() : [])] : []
  const committed = random.chance(0.6) ? [6 + 2 * random.whole(0, 20)] : []
  const commits = committed.map((task) => ({
    id: String(iid).padStart(40, '0'),
    message: `Do it\n\nBug: T${task}\n`,
    author: 'alice',
    createdAt: new Date().toISOString(),
  }))
  const made = newMergeRequest({ iid, title: `Story ${iid}`, author: 'alice', commits, files: [{ path: 'docs/README.md' }] })
  sandbox.gitlab.state.projects.find(({ id }) => id === project.id)?.mergeRequests.push(made)

  const ageMs = random.chance(0.3) ? random.whole(1, 9) * dayMs : 0
  const deliveries: Delivery[] = []
  let title = `Story ${iid}`
  let state = 'opened'
  const add = (action: Action, changes: { oldrev?: string; named?: number } = {}) => {
    if (random.chance(0.6)) title = `Story ${iid}, part ${deliveries.length}`
    const line = `alice ${verbs[action]} ${address}`
    const text = isPublic ? `${line}\n\n%%%[${project.path}@main] ${title}%%%` : line
    const before = describing(described)
    if (changes.named !== undefined) described.push(changes.named)
    const fresh = action === 'update' ? (changes.named === undefined ? [] : [changes.named]) : described
    const unlessNamed = action === 'update'
    const fromCommits = action === 'update' && changes.oldrev === undefined ? [] : committed.filter((task) => !described.includes(task))
    const told = { title, state, description: describing(described) }
    // By the second, so that two that read alike are told apart.
    const laterMs = deliveries.length * 1000
    const texts = { previous: before, current: told.description }
    deliveries.push({
      key: `${iid}-${deliveries.length}-${action}`,
      comments: [...fresh, ...fromCommits].map((task) => ({ task, text, unlessNamed })),
      isOld: ageMs > 0,
      isPublic,
      mentions: action === 'open' || action === 'reopen' || changes.oldrev !== undefined,
      body: (now) => {
        const plain = hook(isPublic ? 'merge-request-open' : 'merge-request-private', sandbox.gitlab.url)
        const attributes = {
          ...told,
          action,
          iid,
          url: address,
          updated_at: gitlabTime(new Date(now.getTime() - ageMs + laterMs)),
          target_branch: 'main',
        }
        return {
          ...plain,
          object_attributes: { ...part(plain, 'object_attributes'), ...attributes, ...(changes.oldrev && { oldrev: changes.oldrev }) },
          changes: changes.named === undefined ? {} : { description: texts },
        }
      },
    })
  }

  add('open')
  for (let left = random.whole(4, 12); left > 0; left--) {
    const turn = random.next()
    if (state === 'closed') {
      state = 'opened'
      add('reopen')
    } else if (turn < 0.2 && free.length > 0) {
      const moved = committed.filter((task) => !described.includes(task) && random.chance(0.5))
      add('update', { named: moved[0] ?? take()[0] ?? 7 })
    } else if (turn < 0.4) {
      add('update', { oldrev: 'b1946ac92492d2347c6235b4d2611184b1946ac9' })
    } else if (turn < 0.5) {
      add('update')
    } else {
      state = 'closed'
      add('close')
    }
  }
  if (state === 'opened' && random.chance(0.7)) {
    state = 'merged'
    add('merge')
  }
  return { name: address, deliveries }
}

function describing(tasks: number[]): string {
  return ['What it is about.', '', ...tasks.map((task) => `Bug: T${task}`)].join('\n')
}

function part(body: JsonObject, name: string): JsonObject {
  const value = body[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

// As GitLab writes times: `2026-01-16 05:56:22 UTC`.
function gitlabTime(now: Date): string {
  return `${now.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
