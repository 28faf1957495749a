// The sandbox's projects against what Phorge is known to do: how one is named, what changes nothing, all of an edit or none.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type Sandbox, startSandbox } from './sandbox.ts'
import type { Project } from './tasks.ts'

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })
const editSchema = z.object({ transactions: z.array(z.object({ phid: z.string() })) })
const foundSchema = z.object({
  data: z.array(z.object({ fields: z.object({ name: z.string() }) })),
  maps: z.object({ slugMap: z.record(z.string(), z.object({ slug: z.string(), projectPHID: z.string() })) }),
})

let sandbox: Sandbox
let harbour: Project
let vault: Project
before(async () => {
  sandbox = await startSandbox()
  harbour = sandbox.phabricator.addProject({ name: 'Harbour Works' })
  sandbox.phabricator.addProject({ name: 'Harbour Lights' })
  vault = sandbox.phabricator.addProject({ name: 'Vault', hidden: true })
})
after(() => sandbox?.close())

async function call(method: string, params: object) {
  const { url, token } = sandbox.phabricator
  const body = new URLSearchParams({ params: JSON.stringify({ ...params, __conduit__: { token } }) })
  return answerSchema.parse(await (await fetch(`${url}/api/${method}`, { method: 'POST', body })).json())
}

/** Does `transactions` to a new task; its error, or how many transactions were made, and its projects then. */
async function edit(transactions: Array<[type: string, value: unknown]>, access: 'open' | 'uneditable' = 'open') {
  const { id } = sandbox.phabricator.addTask({ title: 'A task', access })
  const params = { objectIdentifier: `T${id}`, transactions: transactions.map(([type, value]) => ({ type, value })) }
  const { result, error_info } = await call('maniphest.edit', params)
  const made = error_info ?? editSchema.parse(result).transactions.length
  return { id, made, result, projects: sandbox.phabricator.projects(id) }
}

for (const [what, name] of [
  ['PHID', () => harbour.phid],
  ['slug', () => 'harbour_works'],
  ['name', () => 'Harbour Works'],
] as const)
  test(`a project is added by ${what}, and a second time that makes no transaction`, async () => {
    const value = [name()]
    const { made, projects } = await edit([
      ['projects.add', value],
      ['projects.add', value],
    ])
    assert.deepEqual([made, projects], [1, ['Harbour Works']])
  })

test('#slug, a name of nothing and one of what may not be seen are refused; any PHID is taken', async () => {
  for (const name of ['#harbour_works', 'nowhere', 'vault']) {
    const words = `Edge transactions must have destination PHIDs as in edge lists (found key "${name}" on transaction of type "41").`
    for (const type of ['projects.add', 'projects.remove']) assert.equal((await edit([[type, [name]]])).made, words)
  }
  for (const phid of [vault.phid, 'PHID-PROJ-nowherenowherenowher', 'PHID-USER-lanternlanternlanter'])
    assert.equal((await edit([['projects.add', [phid]]])).made, 1)
})

test('what is no list is refused, an empty one and a removal of what is not there make nothing', async () => {
  const words =
    'Exception when processing transaction of type "projects.add": Error while reading "value": Expected a list, but value is not a list.'
  assert.equal((await edit([['projects.add', harbour.phid]])).made, words)
  assert.equal((await edit([['projects.add', []]])).made, 0)
  assert.equal((await edit([['projects.remove', [harbour.phid]]])).made, 0)
})

test('projects.set takes away what it does not name', async () => {
  const { made, projects } = await edit([
    ['projects.add', [harbour.phid]],
    ['projects.set', ['harbour_lights']],
  ])
  assert.deepEqual([made, projects], [2, ['Harbour Lights']])
})

test('a comment comes last in the answer, and both are of one group', async () => {
  const { id, result } = await edit([
    ['comment', 'Ahoy'],
    ['projects.add', [harbour.phid]],
  ])
  const { transactions } = sandbox.phabricator.task(id)
  assert.deepEqual(
    transactions.map(({ type }) => type),
    ['projects', 'comment'],
  )
  assert.deepEqual(
    editSchema.parse(result).transactions.map(({ phid }) => phid),
    transactions.map(({ phid }) => phid),
  )
  assert.equal(transactions[0]?.groupID, transactions[1]?.groupID)
  assert.deepEqual(transactions[0]?.fields, { operations: [{ operation: 'add', phid: harbour.phid }] })
})

test('on a task that may not be edited nothing of it is done, the comment neither', async () => {
  const { id, made, projects } = await edit(
    [
      ['comment', 'Ahoy'],
      ['projects.add', [harbour.phid]],
    ],
    'uneditable',
  )
  assert.match(String(made), /^\[You Shall Not Pass: T\d+\] \(Can Edit\)/)
  assert.deepEqual([projects, sandbox.phabricator.comments(id)], [[], []])
})

test('projects are found by PHID, by slug in any case and with a #, and by how words of the name begin', async () => {
  const find = async (constraints: object) => {
    const { data, maps } = foundSchema.parse((await call('project.search', { constraints })).result)
    return { names: data.map(({ fields }) => fields.name), slugs: Object.keys(maps.slugMap) }
  }
  assert.deepEqual(await find({ phids: [harbour.phid, vault.phid, 'PHID-PROJ-nowhere'] }), { names: ['Harbour Works'], slugs: [] })
  assert.deepEqual(await find({ slugs: ['#Harbour_Works', 'vault', 'nowhere'] }), { names: ['Harbour Works'], slugs: ['#Harbour_Works'] })
  assert.deepEqual((await find({ name: 'harb' })).names, ['Harbour Lights', 'Harbour Works'])
  assert.deepEqual((await find({ name: 'Harbour Works' })).names, ['Harbour Works'])
  assert.deepEqual((await find({ name: 'Vault' })).names, [])
})
