// Which requests may come in at all. A web page in the operator's browser can send requests anywhere, also to this
// machine, and with a name of its own that it has pointed here (DNS rebinding).
import type { Context, MiddlewareHandler } from 'hono'
import { isLoopback } from '#shared/process/loopback.ts'
import type { Secret } from '#shared/process/secret.ts'

/** Whether a request was meant for a name of this machine itself, or for the host that we listen on. */
function isMeantForUs(c: Context, host: string): boolean {
  const named = c.req.header('host')
  // No browser leaves it out; a probe in HTTP/1.0 does.
  if (named === undefined) return true
  const name = named.replace(/:\d{1,5}$/, '')
  return isLoopback(name) || name === host || name === `[${host}]`
}

/** Refuses what is not meant for us, which listen on `host`. */
export function checkHost(host: string): MiddlewareHandler {
  return async function checkHost(c, next) {
    if (isMeantForUs(c, host)) return await next()
    return c.text('This is answered only under a name of the machine itself, such as 127.0.0.1.\n', 403)
  }
}

/** What stands before the numbers where there is no token: then they are for this machine, as the page is. */
export function numbersGuard({ host, token }: { host: string; token: Secret | undefined }): MiddlewareHandler | undefined {
  return token === undefined ? checkHost(host) : undefined
}

/** Whether a request that changes something comes from our own pages, as browsers say; one that does not say does not. */
export function isFromOwnPage(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  const origin = c.req.header('origin')
  if (site !== undefined && site !== 'same-origin') return false
  return origin === undefined ? site !== undefined : hostOf(origin) === c.req.header('host')
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1]
}

/** `path` if it is an address of this site, else `/`. Browsers read it as they like: `//elsewhere`, `/\\elsewhere` and the like lead away. */
export function ownPath(path = '/'): string {
  const here = 'http://here'
  const url = path.startsWith('/') && URL.canParse(path, here) ? new URL(path, here) : undefined
  return url?.origin === here && !url.pathname.startsWith('//') ? url.pathname + url.search : '/'
}
