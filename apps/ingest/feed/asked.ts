// What a request asks of the feed and in which form, or the answer to one that asks for nothing that there is.
import type { Context } from 'hono'
import { preferredOf } from './accept.ts'
import { badQuestion, notAcceptable, onlyGet, preflight, streamHeaders } from './answers.ts'
import { BadQuestion } from './bad-question.ts'
import { type FormType, formTypes } from './form.ts'
import type { FeedMetrics } from './metrics.ts'
import { type Question, questionOf } from './question.ts'

export type Asked = { question: Question; type: FormType }

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
  return method === 'HEAD' ? c.body(null, 200, streamHeaders(type)) : { question, type }
}

function read(c: Context): Question | string {
  try {
    return questionOf(c.req.header('last-event-id'), new URL(c.req.url).searchParams)
  } catch (error) {
    if (error instanceof BadQuestion) return error.message
    throw error
  }
}
