// One HTTP exchange with a remote: a time limit on the whole of it, a size limit on the answer, no redirects, no cookies.
// What says "I am not there now" in HTTP's own words becomes `Unavailable` here; the rest is for the remote's file.
import type { IncomingMessage } from 'node:http'
import { Permanent, Unavailable } from '#shared/process/errors.ts'
import { readJson } from '#shared/process/json.ts'
import { inSpan } from '#shared/process/spans.ts'
import type { Fence } from '#sinks/fence.ts'
import { type Named, titleOf } from '../remote.ts'
import { largeBytes, turnOfLarge } from './large.ts'
import { noteUse } from './last-use.ts'
import { richesOf } from './rich.ts'
import { send } from './send.ts'

/** Sent with every call; Wikimedia refuses clients that do not say who they are. */
export const userAgent = 'gitlab-webhooks/0.1.0 (https://gitlab.wikimedia.org/repos/releng/gitlab-webhooks)'

/** The answer is too large, or has too much in it, and would have it again. */
export class TooLarge extends Permanent {
  override name = 'TooLarge'
}

export type Answer = { status: number; headers: Headers; text: string }

export type Call = {
  method?: 'GET' | 'POST'
  headers?: Record<string, string>
  body?: string
  signal: AbortSignal
  timeLimitMs?: number
  sizeLimit?: number
  fence?: Fence | undefined
}

/**
 * One exchange with the remote at `url`. `sizeLimit` in bytes. A call that cannot be undone has a `fence`: it
 * is passed right before the request is written, sets the time limit, and is told what the answer says of what was done;
 * a front end's 5xx says nothing. Throws `Unavailable` on network errors, time-outs, 408, 429 and 502 to 504, `TooLarge` when
 * the answer is; throws the signal's own reason when the caller gave up, and what the fence throws: then nothing was sent.
 */
export async function exchange(remote: Named, url: string, call: Call): Promise<Answer> {
  const attributes = { remote: remote.name, method: call.method ?? 'GET' }
  return await inSpan('call', { attributes }, async ({ carried, note }) => {
    const answer = await exchangeOnce(remote, url, { ...call, headers: { ...call.headers, ...carried } })
    note({ status: answer.status })
    return answer
  })
}

async function exchangeOnce(remote: Named, url: string, call: Call): Promise<Answer> {
  const { method = 'GET', headers = {}, body, signal, fence, sizeLimit = 8 * 1024 * 1024 } = call
  const name = titleOf(remote)
  const { timeLimitMs = fence?.limitMs ?? 15_000 } = call
  const late = AbortSignal.timeout(timeLimitMs)
  let notSent: unknown
  const before = async () =>
    fence?.pass().catch((error: unknown) => {
      notSent = error
      throw error
    })
  const given = AbortSignal.any([signal, late])
  let endTurn: (() => void) | undefined
  try {
    const response = await send(url, {
      method,
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers },
      signal: given,
      body,
      before,
    })
    const text = await readText(name, response, sizeLimit, async () => {
      endTurn ??= await turnOfLarge(given)
    })
    const answer = { status: response.statusCode ?? 0, headers: headersOf(response), text }
    if (answer.status < 500) fence?.answered()
    if (answer.status >= 400 && answer.status < 500) fence?.undone()
    if (!downStatuses.has(answer.status)) {
      noteUse(remote.name, null)
      return answer
    }
    throw new Unavailable(`${name} answers ${answer.status}.`, { remote: remote.name, retryAfter: retryAfter(answer.headers) })
  } catch (error) {
    signal.throwIfAborted()
    if (error === notSent || error instanceof Permanent) throw error
    const trouble =
      error instanceof Unavailable
        ? error
        : new Unavailable(`${name} cannot be reached: ${late.aborted ? 'it took too long' : reasonOf(error)}.`, { remote: remote.name })
    noteUse(remote.name, trouble.message)
    throw trouble
  } finally {
    if (endTurn) setImmediate(endTurn) // whoever asked reads the answer first
  }
}

const downStatuses = new Set([408, 429, 502, 503, 504])

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  return new Headers(
    Object.entries(headersDistinct).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value])),
  )
}

async function readText(name: string, response: IncomingMessage, sizeLimit: number, onLarge: () => Promise<void>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > sizeLimit) throw new TooLarge(`${name} answers with more than ${sizeLimit} bytes.`)
    if (size > largeBytes) await onLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const longestWaitMs = 3_600_000

const bounds = { mostValues: 500_000, mostLevels: 200 }

/**
 * What an answer says in JSON, to be read with a schema; undefined when it is not JSON, or none that a remote would write,
 * or calls itself something else. Throws `TooLarge` when there is more in it than can be kept.
 */
export function jsonIn({ headers, text }: Answer): unknown {
  const type = headers.get('content-type')
  if (type !== null && !/^[\w.+-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type.trim())) return undefined
  if (text.length > largeBytes) {
    const { values, levels } = richesOf(text, bounds)
    if (levels > bounds.mostLevels) return undefined
    if (values > bounds.mostValues) throw new TooLarge(`An answer has more than ${bounds.mostValues} values in it.`)
  }
  return readJson(text)
}

/** What a `Retry-After` header asks for, in ms, at most an hour: seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return ms > 0 ? Math.min(ms, longestWaitMs) : undefined
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? String(error.code) : error.message
}
