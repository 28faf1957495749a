// How Conduit reads a request: a form whose field `params` is JSON (types are kept) or whose fields are the
// parameters, PHP's way (everything is text). The token travels among the parameters. A JSON body is refused, or,
// with a charset in its type, taken for the name of a form field and repeated in the error, token and all.
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Received } from './server.ts'
import type { Account, Maniphest } from './tasks.ts'

export type Call = { params: Record<string, unknown>; token: string | undefined; typed: boolean }
/** What a method is given: the call, and who makes it. */
export type Given = { state: Maniphest; params: Record<string, unknown>; typed: boolean; viewer: Account; url: string }

export class ConduitError extends Error {
  code: string
  constructor(code: string, words: string) {
    super(words)
    this.code = code
  }
}

const metadata = z.object({ __conduit__: z.object({ token: z.string().optional() }).optional() })
const anything = z.record(z.string(), z.unknown())

export function readCall(request: Received, method: string): Call {
  if (request.headers['content-type'] === 'application/json') {
    const words =
      "Use form-encoded data to submit parameters to Conduit endpoints. Sending a JSON-encoded body and setting 'Content-Type': 'application/json' is not currently supported."
    throw new ConduitError('ERR-CONDUIT-CORE', words)
  }
  const form = readForm(request.url.search.slice(1), request.method === 'POST' ? bodyText(request) : '')
  delete form.output
  if (typeof form.params !== 'string') {
    const { 'api.token': token, ...params } = form
    return { params, token: typeof token === 'string' ? token : undefined, typed: false }
  }
  const parsed = anything.safeParse(parseJson(form.params))
  if (!parsed.success) throw new ConduitError('ERR-CONDUIT-CORE', `Invalid parameter information was passed to method '${method}'.`)
  const { __conduit__: _, ...params } = parsed.data
  return { params, token: metadata.safeParse(parsed.data).data?.__conduit__?.token, typed: true }
}

function bodyText({ headers, body }: Received): string {
  return (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? Object.fromEntries(value.entries()) : value
  } catch {
    return undefined
  }
}

/** `a[b][0]=x` becomes `{a: {b: ['x']}}`. */
function readForm(...texts: string[]): Record<string, unknown> {
  const root = new Map<string, unknown>()
  for (const field of texts.flatMap((text) => text.split('&')).filter((text) => text !== '')) {
    const [key = '', ...value] = field.split('=')
    const [name = '', rest = ''] = /^([^[]*)((?:\[[^\]]*\])*)$/s.exec(decode(key))?.slice(1) ?? [decode(key)]
    let place = root
    let last = name
    for (const [, step = ''] of rest.matchAll(/\[([^\]]*)\]/g)) {
      const inner = place.get(last)
      const next = inner instanceof Map ? inner : new Map<string, unknown>()
      place.set(last, next)
      place = next
      last = step === '' ? String(next.size) : step
    }
    place.set(last, decode(value.join('=')))
  }
  return Object.fromEntries([...root].map(([key, value]) => [key, toPlain(value)]))
}

function toPlain(value: unknown): unknown {
  if (!(value instanceof Map)) return value
  const entries = [...value].map(([key, inner]: [string, unknown]) => [key, toPlain(inner)] as const)
  return entries.every(([key], index) => key === String(index)) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
}

function decode(text: string): string {
  const blank = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(blank)
  } catch {
    return blank
  }
}

/** A parameter as text, for the places that take numbers and text alike. */
export function scalar(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
