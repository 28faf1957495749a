import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { noRecordings, type Recording, readRecordings } from './recordings.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'
import type { Task } from './tasks.ts'

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })

// Not stood in for: other encodings, hosts and outputs, sizes that were cut in the recordings, projects, old methods.
const elsewhere =
  /^(011|018|020|025|03[124]|046|05[389]|060|082|09[5-9]|104|113|15[78]|159|16\d|17[0-8]|18[2-7]|196|197|198|199|20[0-6]|214)-/

// Recordings taken while the server was in trouble.
const modes = new Map<string, Sandbox['phabricator']['state']['mode']>([
  ['207', 'read-only'],
  ['208', 'read-only'],
  ['209', 'read-only'],
  ['210', 'database-down'],
  ['211', 'database-down'],
  ['212', 'rate-limited'],
])

test('Conduit answers like the recordings of the real one', { skip: noRecordings }, async (t) => {
  await using sandbox = await startSandbox()
  const tokens = likeTheRecorded(sandbox)
  for (const recording of readRecordings('phabricator').filter(({ name }) => !elsewhere.test(name))) {
    await t.test(recording.name, () => replay(sandbox, tokens, recording))
  }
})

function likeTheRecorded({ phabricator }: Sandbox): Map<string, string> {
  const { state } = phabricator
  const access = new Map<number, Task['access']>([
    [13, 'hidden'],
    [14, 'hidden'],
    [15, 'uneditable'],
    [16, 'locked'],
    [20, 'locked'],
  ])
  const phids = new Map([
    [3, 'PHID-TASK-2cy76kpbla7z2bk22yow'],
    [13, 'PHID-TASK-nkvtiixkv3cfio6zx6n4'],
  ])
  for (let id = 1; id <= 20; id += 1) {
    const phid = phids.get(id)
    phabricator.addTask({ id, title: `Task ${id}`, access: access.get(id) ?? 'open', ...(phid && { phid }) })
  }
  phabricator.addComment(3, 'first')
  const known = { phid: 'PHID-USER-57qdhbxc6xcfbjbflmj4' }
  Object.assign(state.accounts[0] ?? {}, known)
  state.tokens.set(phabricator.token, { account: known.phid, expired: false })
  const expired = 'cli-expiredexpiredexpiredexpired'
  state.tokens.set(expired, { account: known.phid, expired: true })
  return new Map([
    ['api-bot-token', phabricator.token],
    ['api-admin-token', phabricator.token],
    ['api-human-token', phabricator.addAccount('alice').token],
    ['api-disabled-token', phabricator.addAccount('disabled', { disabled: true }).token],
    ['api-unknown-token', 'api-unknownunknownunknownunknown'],
    ['cli-expired-token', expired],
    ['xyz-wrong-prefix-token', 'xyz-prefixprefixprefixprefixpref'],
  ])
}

async function replay({ phabricator }: Sandbox, tokens: Map<string, string>, { name, request, response }: Recording): Promise<void> {
  const real = (text: string) => [...tokens].reduce((given, [placeholder, token]) => given.replaceAll(placeholder, token), text)
  phabricator.state.mode = modes.get(name.slice(0, 3)) ?? 'normal'
  const { pathname, search } = new URL(request.url)
  const body = request.body === null ? null : real(request.body)
  const given = await fetch(phabricator.url + pathname + real(search), { method: request.method, headers: request.headers, body })
  assert.equal(given.status, response.status)
  if (response.json === undefined) {
    assert.doesNotMatch(given.headers.get('content-type') ?? '', /json/)
    return
  }
  const wanted = answerSchema.parse(response.json)
  const answer = answerSchema.parse(await given.json())
  assert.deepEqual([answer.error_code, answer.error_info], [wanted.error_code, wanted.error_info && real(wanted.error_info)])
  assert.deepEqual(keys(answer.result), keys(wanted.result))
}

function keys(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort() : []
}
