// Ways in which something private comes into a body, each with the mark by which it is found again.
import fc from 'fast-check'
import type { Json, JsonObject } from '#shared/process/json.ts'
import { bodies, changedAt, pathsIn } from './kinds-of-bodies.ts'

export const mark = 'Sup3rSecret'

type Plant = (object: JsonObject) => JsonObject

const address = `${mark}@account.example`
const addresses = { email: address, public_email: address, commit_email: address, emails: [address], EMail: address }
const person = { id: 3, name: 'A', username: 'a', ...addresses, contact: { email: address } }
const stranger = { name: 'B', ...addresses }
const login = `see https://${mark}:${mark}@host.example/x and ssh://${mark}@host.example, ok`
const elsewhere = (more: JsonObject): JsonObject => ({ id: 99, name: mark, path_with_namespace: `${mark}/x`, web_url: mark, ...more })

const withField =
  (name: string, value: Json): Plant =>
  (object) => ({ ...object, [name]: value })
const fields = (names: string[], values: Json[]) => names.flatMap((name) => values.map((value) => withField(name, value)))

const peopleNames = ['user', 'merge_user', 'updated_by', 'closed_by', 'approver', 'approvers', 'participants', 'assignees', 'reviewers']
const projects = [{}, { visibility_level: 0 }, { visibility_level: 10 }, { visibility_level: 20, visibility: 'private' }].map(elsewhere)

/** What can stand anywhere, and is taken out. */
export const plants: Plant[] = [
  ...fields(peopleNames, [person, [person], stranger, [[stranger]], { previous: [], current: [stranger] }]),
  ...fields(['author', 'committer', 'anybody'], [person, [person]]),
  ...fields(['user_email', 'owner_email', 'Contact_E-Mail', 'email_of_user'], [address, [address], { a: address }]),
  ...fields(
    ['variables', 'Variables', 'trigger_variables', 'job_variables'],
    [[{ key: 'A', value: mark }], { A: mark, B: { value: mark } }, [`A=${mark}`], { [`A=${mark}`]: 1 }, `A=${mark}`, mark, [mark]],
  ),
  ...fields(['push_options'], [{ ci: { variable: { [`A=${mark}`]: 1 }, input: { [`a=${mark}`]: 1 } } }]),
  ...fields(
    ['title', 'description', 'url', 'x'],
    [login, [login], [{ y: [login] }], { [login]: 1 }, `https:\\\\${mark}@host`, `a://x@${mark}@b`],
  ),
  ...fields(['source', 'upstream_project', 'forked_from_project', 'x'], projects),
  ...fields(
    ['source_pipeline', 'x'],
    projects.map((project) => ({ project, y: 1 })),
  ),
  ...fields(
    ['source_pipeline', 'upstream_pipeline'],
    [...projects.map((project) => ({ project, job_id: mark, pipeline_id: mark })), { job_id: mark }],
  ),
  ...fields(['projects', 'x'], [projects]),
  ...fields(['old_path_with_namespace', 'Old_Path_With_Namespace', 'runners_token', 'password', 'SECRET_TOKEN'], [mark]),
  ...fields(
    ['changes'],
    [
      { confidential: { previous: true, current: false }, description: { previous: mark, current: 'x' }, title: [mark, 'x'] },
      { Confidential: ['true', 'false'], description: { previous: { deep: mark }, current: null } },
      { visibility_level: { previous: 0, current: 20 }, description: { previous: mark, current: 'x' } },
    ],
  ),
]

const hiddenFork = {
  source: elsewhere({ visibility_level: 0 }),
  source_project_id: 99,
  source_branch: mark,
  last_commit: { id: mark, message: mark, author: { name: mark, email: mark } },
  oldrev: mark,
  head_pipeline_id: mark,
  diff_refs: { head_sha: mark },
}
const goneFork = { ...hiddenFork, source: null, source_project_id: null }
const unstatedFork = { ...hiddenFork, source: elsewhere({}) }
const otherFork = {
  ...hiddenFork,
  source: { ...elsewhere({}), name: 'x', path_with_namespace: 'a/b', web_url: 'x', id: 42, visibility_level: 20 },
}

/** The bodies that are about a merge request, made to come from a fork that is not public. */
export const forked: Json[] = Object.values(bodies).flatMap((body) =>
  [hiddenFork, goneFork, unstatedFork, otherFork, { ...hiddenFork, source: undefined }].flatMap((fork) => {
    const given = JSON.parse(JSON.stringify(fork)) as JsonObject
    const about = (part: Json | undefined) => typeof part === 'object' && part !== null && !Array.isArray(part) && 'source_branch' in part
    if (about(body.object_attributes)) return [changedAt(body, ['object_attributes'], (part) => ({ ...part, source: null, ...given }))]
    if (!about(body.merge_request)) return []
    const whole = changedAt(body, ['merge_request'], (part) => ({ ...part, source: null, ...given }))
    const commit = { id: mark, message: mark }
    const attributes = { commit_id: mark, position: { head_sha: mark }, st_diff: { diff: mark }, sha: mark, before_sha: mark, ref: mark }
    return [changedAt(changedAt(whole, [], withField('commit', commit)), ['object_attributes'], (part) => ({ ...part, ...attributes }))]
  }),
)

/** Bodies of all kinds, each with some of `plants` in places of it. */
export function planted(from: Plant[], skips?: (name: string) => boolean): fc.Arbitrary<JsonObject> {
  const plant = fc.tuple(fc.nat(), fc.constantFrom(...from))
  return fc.tuple(fc.constantFrom(...Object.values(bodies)), fc.array(plant, { minLength: 1, maxLength: 4 })).map(([body, all]) => {
    let whole: Json = body
    for (const [place, change] of all) {
      const paths = pathsIn(whole, skips)
      whole = changedAt(whole, paths[place % paths.length] ?? [], change)
    }
    return whole as JsonObject
  })
}
