// What a request asks of the feed and in which form, or the answer to one that asks for nothing that there is.
import type { Context } from 'hono'
import { preferredOf, prefersGzip } from './accept.ts'
import { badQuestion, finiteHeaders, notAcceptable, onlyGet, preflight, streamHeaders } from './answers.ts'
import { BadQuestion } from './bad-question.ts'
import { type FormType, formTypes } from './form.ts'
import type { FeedMetrics } from './metrics.ts'
import { type Question, questionOf } from './question.ts'

/** `isCompressed`: it has an end, and may be compressed. A live answer never is: what is in between would wait. */
export type Asked = { question: Question; type: FormType; isCompressed: boolean }

/** What `c` asks for; of anything but a GET that can be served, the answer. */
export function askedOf(c: Context, { refused }: FeedMetrics): Asked | Response {
  const { method } = c.req
  if (method === 'OPTIONS') return preflight(c)
  if (method !== 'GET' && method !== 'HEAD') return onlyGet(c)
  const question = read(c)
  if (typeof question === 'string') {
    refused.inc({ reason: 'bad question' })
    return badQuestion(c, question)
  }
  const type = preferredOf(formTypes, c.req.header('accept'))
  if (type === undefined) {
    refused.inc({ reason: 'not acceptable' })
    return notAcceptable(c)
  }
  const isCompressed = question.end !== undefined && prefersGzip(c.req.header('accept-encoding'))
  const asked = { question, type, isCompressed }
  return method === 'HEAD' ? c.body(null, 200, question.end ? finiteHeaders(asked) : streamHeaders(type)) : asked
}

function read(c: Context): Question | string {
  try {
    return questionOf(c.req.header('last-event-id'), new URL(c.req.url).searchParams)
  } catch (error) {
    if (error instanceof BadQuestion) return error.message
    throw error
  }
}
