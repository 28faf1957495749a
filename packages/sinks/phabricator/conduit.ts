// Phabricator's Conduit. Nothing in it is idempotent and a time-out says nothing, so own comments can be looked up.
// Nearly every error comes with status 200: the body is read first. Verified against Phorge 2025.51 and 2026-08.
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { madeOf, type Secret } from '#shared/process/secret.ts'
import type { Fence } from '#sinks/fence.ts'
import { type Answer, exchange, jsonIn } from '#sinks/http/http.ts'
import { wordsOfPage } from '#sinks/http/words-of-page.ts'
import { phabricatorName } from './variables.ts'

export type OwnComment = { phid: string; text: string; at: Date }

export type Conduit = {
  /** Comments on task `T<task>`; the transaction's PHID. Asked twice, it comments twice, so it stands behind `fence`. */
  comment: (task: number, text: string, signal: AbortSignal, fence: Fence) => Promise<string>
  /** The comments that our own account made on the task, newest first, as far back as `since`. */
  ownComments: (task: number, since: Date, signal: AbortSignal) => Promise<OwnComment[]>
  /** The account behind the token. Its roles tell a bot (`agent`) from a person, and whether it is `activated`. */
  whoami: (signal: AbortSignal) => Promise<{ userName: string; roles: string[] }>
}

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })
const whoamiSchema = z.object({ phid: z.string() })
const accountSchema = z.object({ userName: z.string(), roles: z.array(z.string()) })
const editSchema = z.object({ transactions: z.array(z.object({ phid: z.string() })) })
const searchSchema = z.object({
  data: z.array(
    z.object({
      phid: z.string(),
      type: z.string().nullable(),
      dateCreated: z.number(),
      comments: z.array(z.object({ removed: z.boolean(), content: z.object({ raw: z.string() }) })),
    }),
  ),
  cursor: z.object({ after: z.union([z.string(), z.number()]).nullable() }),
})

const mostPages = 50

/**
 * Conduit at `url` with an API token. Its calls throw `Unavailable` (down, read-only), `Refused` (token not accepted),
 * `Permanent` (no such task, may not comment, malformed) or a plain Error (worth another attempt).
 */
export function openConduit({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): Conduit {
  const own = madeOf(token, (): { phid?: Promise<string> | undefined } => ({}))

  async function call<T>(method: string, params: object, schema: z.ZodType<T>, signal: AbortSignal, fence?: Fence): Promise<T> {
    const form = new URLSearchParams({ params: JSON.stringify({ ...params, __conduit__: { token: token() } }) })
    const answer = await exchange(phabricatorName, `${url}/api/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      signal,
      fence,
    })
    const result = schema.safeParse(resultOf(answer, redact, fence))
    if (!result.success) throw new Error(`Phabricator answers ${method} in an unknown shape: ${z.prettifyError(result.error)}`)
    return result.data
  }

  // The account behind a token stays the same.
  async function ownPhid(signal: AbortSignal): Promise<string> {
    const account = own()
    account.phid ??= call('user.whoami', {}, whoamiSchema, signal).then(({ phid }) => phid)
    try {
      return await account.phid
    } catch (error) {
      account.phid = undefined
      throw error
    }
  }

  return {
    async comment(task, text, signal, fence) {
      const params = { objectIdentifier: monogram(task), transactions: [{ type: 'comment', value: text }] }
      const { transactions } = await call('maniphest.edit', params, editSchema, signal, fence)
      // The comment comes last, after what it brought about, such as a subscription.
      const made = transactions.at(-1)
      if (!made) throw new Permanent(`Phabricator made no comment of the text for ${monogram(task)}.`)
      return made.phid
    },

    async ownComments(task, since, signal) {
      const constraints = { authorPHIDs: [await ownPhid(signal)] }
      const found: OwnComment[] = []
      let after: string | number | null = null
      for (let page = 0; page < mostPages; page++) {
        const params: object = { objectIdentifier: monogram(task), constraints, limit: 100, ...(after !== null && { after }) }
        const { data, cursor }: z.output<typeof searchSchema> = await call('transaction.search', params, searchSchema, signal)
        for (const { phid, type, dateCreated, comments } of data) {
          // Versions, newest first: somebody may have edited what we wrote.
          const written = comments.at(-1)
          if (type === 'comment' && written) found.push({ phid, text: written.content.raw, at: new Date(dateCreated * 1000) })
        }
        const oldest = data.at(-1)
        after = cursor.after
        if (after === null || !oldest || oldest.dateCreated * 1000 < since.getTime()) break
      }
      return found
    },

    whoami: (signal) => call('user.whoami', {}, accountSchema, signal),
  }
}

// An empty identifier would make `maniphest.edit` create a task.
function monogram(task: number): string {
  if (!Number.isSafeInteger(task) || task < 1) throw new Permanent(`There can be no task with the number ${task}.`)
  return `T${task}`
}

function resultOf(said: Answer, redact: (text: string) => string, fence?: Fence): unknown {
  const { status } = said
  const answer = answerSchema.safeParse(jsonIn(said))
  if (!answer.success) {
    if (status === 413) throw new Permanent('Phabricator answers 413: the call is too large.')
    throw new Unavailable(`Phabricator answers ${status} without a Conduit answer in it${wordsOfPage(said, redact)}.`, { remote })
  }
  const { error_code: code, error_info: info, result } = answer.data
  if (code === null) return result
  const error = meaning(code, redact(info ?? '').slice(0, 300))
  // Anything else may have come after the deed.
  if (error instanceof Unavailable || error instanceof Refused) fence?.undone()
  throw error
}

// `maniphest.edit` has one code for nearly everything, so here its words decide; each is tested with what Phorge is known to answer.
type Meaning = [words: RegExp, code: RegExp, what: typeof Refused | typeof Unavailable | typeof Permanent, ours?: string]
const meanings: Meaning[] = [
  [/./s, /^ERR-INVALID-(AUTH|SESSION)$/, Refused],
  [/read-only mode|Unable to establish a write-mode connection/, /./, Unavailable],
  [
    /does not identify a valid object|No object exists with (ID|PHID) |"objectIdentifier" does not exist/,
    /./,
    Permanent,
    'No such task, or our account may not see it. ',
  ],
  [/You Shall Not Pass|\(Can (View|Interact|Edit)\)/, /./, Permanent],
  [/Exception when processing transaction|list of transaction|invalid type|Validation errors|non-utf8 string/i, /./, Permanent],
  [
    /does not define these parameters|does not exist|Use form-encoded data|Invalid parameter information/,
    /^ERR-CONDUIT-(CALL|CORE)$/,
    Permanent,
  ],
  [/./s, /^ERR-INVALID-(OBJECT|PARAMETER)/, Permanent],
]

const remote = phabricatorName.name

function meaning(code: string, info: string): Error {
  const message = `Phabricator says ${code}: ${info}`
  for (const [words, codes, What, ours = ''] of meanings)
    if (codes.test(code) && words.test(info)) return new What(`${ours}${message}`, { remote })
  return new Error(message)
}
