// The answers of `/sse/` that are not a stream. All of them may be read by every page of the web.
import type { Context } from 'hono'
import { type FormType, formTypes } from './form.ts'

const open = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Date, Retry-After' }

export function streamHeaders(type: FormType) {
  return {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    vary: 'Accept',
    ...open,
  }
}

/** The same for an answer that has an end, which may be compressed. */
export function finiteHeaders({ type, isCompressed }: { type: FormType; isCompressed: boolean }) {
  return { ...streamHeaders(type), vary: 'Accept, Accept-Encoding', ...(isCompressed && { 'content-encoding': 'gzip' }) }
}

export function preflight(c: Context): Response {
  return c.body(null, 204, {
    ...open,
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers': 'Authorization, Last-Event-ID, Cache-Control',
    'access-control-max-age': '86400',
  })
}

export function onlyGet(c: Context): Response {
  return c.json({ error: 'Only GET is taken here.' }, 405, { ...open, allow: 'GET, HEAD, OPTIONS' })
}

export function badQuestion(c: Context, reason: string): Response {
  return c.json({ error: reason }, 400, { ...open, 'cache-control': 'no-store' })
}

export function notAcceptable(c: Context): Response {
  const error = `Accept: expected one of ${formTypes.join(', ')}`
  return c.json({ error }, 406, { ...open, vary: 'Accept', 'cache-control': 'no-store' })
}

const soonest = 5
const spread = 30

/** Everybody is given another time, or they would all come back at once. */
export function full(c: Context): Response {
  const seconds = soonest + Math.floor(Math.random() * spread)
  return c.json({ error: 'Too many read along. Come again a little later.' }, 503, {
    ...open,
    'retry-after': String(seconds),
  })
}
