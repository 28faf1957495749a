// `canary`: a marked delivery sent in at the front door and awaited on the feed, the whole way through proxies and all. No
// sink but the feed acts on its kind, and nothing private is in it.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { required, wholeNumber } from '#shared/process/env.ts'
import { inWords } from '#shared/process/errors.ts'
import { beginHmac, isSigningKey, secretOf, signingKeyForm } from '#shared/process/signing.ts'
import { deliveryJobId } from '#shared/queue/queues.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { userAgent } from '#sinks/http/http.ts'
import type { OpsContext } from '../context.ts'

export type Flight = { id: string; answered: boolean; read: boolean; ms?: number; problem?: string }

/** What it needs of ingest's environment. */
export const canaryVariables = z.object({
  SOURCE_TOKEN: required('the secret that GitLab sends in X-Gitlab-Token'),
  SOURCE_SIGNING_KEY: z.string().refine(isSigningKey, signingKeyForm).optional(),
  PORT: wholeNumber(0, 65535).default(8000),
})

type Options = { hooks: URL; feed: URL; token: string; signingKey: string | undefined; timeout: number }
type Keys = Pick<Options, 'token' | 'signingKey'>

/** Sends one and waits for it, at most `timeout` ms; `ms` is the time from the sending to the reading. */
export async function sendCanary({ hooks, feed, timeout, ...keys }: Options): Promise<Flight> {
  const flight: Flight = { id: `canary-${randomUUID()}`, answered: false, read: false }
  const enough = AbortSignal.timeout(timeout)
  const leaving = new AbortController()
  const signal = AbortSignal.any([enough, leaving.signal])
  try {
    const lines = await openFeed(feed, signal)
    const started = Date.now()
    await send(flight, hooks, keys, signal)
    for await (const line of lines) {
      if (!line.startsWith('data:') || !line.includes(flight.id)) continue
      return { ...flight, read: true, ms: Date.now() - started }
    }
    return { ...flight, problem: 'The feed has ended.' }
  } catch (error) {
    const seconds = timeout / 1000
    return { ...flight, problem: enough.aborted ? `It took longer than ${seconds} s.` : inWords(error) }
  } finally {
    leaving.abort()
  }
}

/** Whether Redis knows that it was routed, and that it was published. */
export async function howFar(
  { queues, redis, prefix }: OpsContext,
  { id, answered }: Flight,
): Promise<{ routed: boolean; published: boolean }> {
  if (!answered) return { routed: false, published: false }
  const routed = (await queues.deliveries.getJobState(deliveryJobId(id))) === 'completed'
  return { routed, published: await openRelay({ redis, prefix }).has(id) }
}

async function send(flight: Flight, hooks: URL, { token, signingKey }: Keys, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ object_kind: 'canary', project_visibility: 'public', sent_at: new Date().toISOString() })
  const headers = {
    'content-type': 'application/json',
    'user-agent': userAgent,
    'x-gitlab-token': token,
    'idempotency-key': flight.id,
    ...(signingKey !== undefined && signed(body, flight.id, signingKey)),
  }
  const answer = await fetch(hooks, { method: 'POST', redirect: 'manual', headers, body, signal }).catch(unreachable(hooks))
  await answer.body?.cancel()
  if (answer.status !== 202) throw new Error(`${hooks.href} answers ${answer.status}, expected 202.`)
  flight.answered = true
}

function signed(body: string, id: string, key: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = beginHmac(secretOf(key), id, timestamp).update(body).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

async function openFeed(feed: URL, signal: AbortSignal): Promise<AsyncGenerator<string>> {
  const address = new URL(feed)
  address.searchParams.set('kind', 'canary')
  const answer = await fetch(address, {
    redirect: 'manual',
    headers: { 'user-agent': userAgent, accept: 'text/event-stream' },
    signal,
  }).catch(unreachable(feed))
  const type = answer.headers.get('content-type') ?? ''
  if (answer.status !== 200 || !type.startsWith('text/event-stream') || !answer.body) {
    throw new Error(`${feed.href} answers ${answer.status} ${type}, expected a feed.`)
  }
  return linesOf(answer.body)
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
    rest = lines.pop() ?? ''
    yield* lines
  }
}

// fetch hides the reason in the cause, which inWords tells.
function unreachable(url: URL) {
  return (cause: unknown): never => {
    throw new Error(`${url.href} cannot be reached`, { cause: cause instanceof Error ? (cause.cause ?? cause) : cause })
  }
}
