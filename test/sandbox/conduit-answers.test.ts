// The sandbox's Conduit against what Phorge is known to answer: codes, words, the fields of results.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { calls } from '../fixtures/conduit/calls.ts'
import { edits } from '../fixtures/conduit/edits.ts'
import { access, phids, type Row } from '../fixtures/conduit/row.ts'
import { searches } from '../fixtures/conduit/searches.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })

test('Conduit answers like the real one', async (t) => {
  await using sandbox = await startSandbox()
  const tokens = worldOf(sandbox)
  for (const row of [...calls, ...edits, ...searches]) await t.test(row.what, () => ask(sandbox, tokens, row))
})

// The tasks and accounts that the rows speak of; the tokens for the words that stand for them.
function worldOf({ phabricator }: Sandbox): Map<string, string> {
  const { state } = phabricator
  const named = new Map([
    [3, phids.open],
    [13, phids.hidden],
  ])
  for (let id = 1; id <= 16; id += 1) {
    const phid = named.get(id)
    phabricator.addTask({
      id,
      title: `Task ${id}`,
      access: new Map(Object.entries(access)).get(String(id)) ?? 'open',
      ...(phid && { phid }),
    })
  }
  phabricator.addComment(3, 'first')
  Object.assign(state.accounts[0] ?? {}, { phid: phids.bot })
  const expired = 'cli-expiredexpiredexpiredexpired'
  state.tokens.set(phabricator.token, { account: phids.bot, expired: false })
  state.tokens.set(expired, { account: phids.bot, expired: true })
  return new Map([
    ['api-bot-token', phabricator.token],
    ['api-human-token', phabricator.addAccount('alice').token],
    ['api-disabled-token', phabricator.addAccount('disabled', { disabled: true }).token],
    ['api-unknown-token', 'api-unknownunknownunknownunknown'],
    ['cli-expired-token', expired],
    ['xyz-odd-token', 'xyz-prefixprefixprefixprefixpref'],
  ])
}

async function ask({ phabricator }: Sandbox, tokens: Map<string, string>, { request, answer, mode = 'normal' }: Row): Promise<void> {
  const real = (text: string) => [...tokens].reduce((given, [word, token]) => given.replaceAll(word, token), text)
  phabricator.state.mode = mode
  const { path, method = 'GET', headers = {}, body } = request
  const given = await fetch(phabricator.url + real(path), { method, headers, body: body === undefined ? null : real(body) })
  if ('status' in answer) {
    assert.equal(given.status, answer.status)
    assert.doesNotMatch(given.headers.get('content-type') ?? '', /json/)
    return
  }
  assert.equal(given.status, 200)
  const { result, error_code, error_info } = answerSchema.parse(await given.json())
  if ('error' in answer) {
    assert.deepEqual([error_code, error_info], [answer.error[0], real(answer.error[1])])
    assert.equal(result, null)
  } else {
    assert.deepEqual([error_code, error_info], [null, null])
    assert.deepEqual(typeof result === 'object' ? Object.keys(result ?? {}).sort() : [], [...answer.fields].sort())
  }
}
