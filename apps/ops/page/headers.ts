// What browsers are told about every answer: to load nothing from elsewhere, to be in nobody's frame, to keep no copy. And
// what every page is freed of: characters in titles and names that cannot be seen, or turn the direction of writing.
import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { harmlessDocument } from '#shared/process/harmless.ts'

const self = ["'self'"]
const nothing = ["'none'"]
const own = { defaultSrc: nothing, scriptSrc: self, connectSrc: self, formAction: self, frameAncestors: nothing }

// Without a referrer browsers would not say the origin of a form either.
const common = { referrerPolicy: 'same-origin', xFrameOptions: 'DENY', strictTransportSecurity: false }

/** For our own pages. */
export const pageHeaders: MiddlewareHandler = secureHeaders({
  ...common,
  contentSecurityPolicy: { ...own, styleSrc: self, imgSrc: self, baseUri: nothing },
  overwrite: false,
})

/** For bull-board, which has styles inside its pages and a base address. */
export const boardHeaders: MiddlewareHandler = secureHeaders({
  ...common,
  contentSecurityPolicy: { ...own, styleSrc: [...self, "'unsafe-inline'"], imgSrc: [...self, 'data:'], fontSrc: self, baseUri: self },
})

/** Pages show what is so now, and are nobody else's. */
export const noStore: MiddlewareHandler = async function noStore(c, next) {
  await next()
  c.res.headers.set('cache-control', 'no-store')
}

/** Whatever a page shows may come from outside. */
export const harmlessPages: MiddlewareHandler = async function harmlessPages(c, next) {
  await next()
  if (!c.res.headers.get('content-type')?.startsWith('text/html')) return
  c.res = new Response(harmlessDocument(await c.res.text()), c.res)
}
