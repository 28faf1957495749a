// Every error is a page that says what is wrong, and what has not happened.
import type { Context } from 'hono'
import { html } from 'hono/html'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { inWords, Unavailable } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import { databaseIsAway, redisIsAway } from '../away.ts'
import type { Visited, Visitor } from './door/visitor.ts'
import { frame, navigation } from './html/frame.ts'

const noSuchTable = 1146

/** A page that says no, and a way back. */
export function refusal(c: Context<Visited>, status: ContentfulStatusCode, title: string, reason: string) {
  // Whoever is refused at the door is nobody yet.
  const visitor: Visitor | undefined = c.var.visitor
  const content = html`<p class="notice bad" role="alert">${reason}</p><p><a href="/">To the overview</a></p>`
  return c.html(frame(title, content, visitor ? navigation(c.req.path, visitor) : ''), status)
}

/** What to answer when a page could not be made. */
export function failure(log: Log) {
  return function fail(error: Error, c: Context) {
    const reason = whatIsAway(error)
    if (reason !== undefined) return refusal(c, 503, 'Not now', `${reason} Try again in a moment.`)
    if (error instanceof HTTPException) return refusal(c, error.status, 'Nothing has been changed', 'The form is too large.')
    log.error({ path: c.req.path, reason: inWords(error) }, 'the page failed')
    return refusal(c, 500, 'Something went wrong', 'The page could not be made. The log of this worker says why.')
  }
}

/** The sentence about what is away, if `error` means that; undefined when it is a fault of ours. */
export function whatIsAway(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (redisIsAway(error)) return 'Redis does not answer.'
  if ('errno' in error && error.errno === noSuchTable)
    return 'The journal’s tables are not there yet: a worker makes them before it writes its first entry.'
  return databaseIsAway(error) ?? (error instanceof Unavailable ? error.message : undefined)
}
