// How Phabricator's Conduit is asked, and what its answers mean. Nearly every error comes with status 200: the body is read
// first. Verified against Phorge 2025.51 and 2026-08.
import { z } from 'zod'
import { Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import type { Secret } from '#shared/process/secret.ts'
import type { Fence } from '#sinks/fence.ts'
import { type Answer, exchange, jsonIn } from '#sinks/http/http.ts'
import { wordsOfPage } from '#sinks/http/words-of-page.ts'
import { phabricatorName } from './variables.ts'

/** Our account may not change this object; whether it may comment on it is another matter. */
export class MayNotEdit extends Permanent {
  override name = 'MayNotEdit'
}

/** Calls `method`; what it answers, of the shape of `schema`. A call that cannot be undone stands behind `fence`. */
export type Call = <T>(method: string, params: object, schema: z.ZodType<T>, signal: AbortSignal, fence?: Fence) => Promise<T>

const answerSchema = z.object({ result: z.unknown(), error_code: z.string().nullable(), error_info: z.string().nullable() })

/**
 * Calls of Conduit at `url` with an API token. They throw `Unavailable` (down, read-only), `Refused` (token not accepted),
 * `Permanent` (no such task, may not comment, malformed) or a plain Error (worth another attempt).
 */
export function openConduitApi({ url, token, redact }: { url: string; token: Secret; redact: (text: string) => string }): Call {
  return async function call(method, params, schema, signal, fence) {
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
  [/\(Can Edit\)/, /./, MayNotEdit],
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
