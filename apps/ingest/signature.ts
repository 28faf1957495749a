// Signed hooks, as GitLab 19.0 sends them: HMAC-SHA256 over id, time and raw body, by the Standard Webhooks specification
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { madeOf, type Secret } from '#shared/secret.ts'

const tolerance = 5 * 60_000
const form = /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/

/** Whether `key` has the form of a signing key: `whsec_` and Base64. */
export function isSigningKey(key: string): boolean {
  return form.test(key)
}

/**
 * A test whether a request was signed with `key`. `now` is in ms since 1970; a signature is good for five minutes before
 * and after its time. `webhook-signature` may hold several, with blanks between.
 */
export function signatureCheck(key: Secret): (headers: IncomingHttpHeaders, body: Buffer, now?: number) => boolean {
  const secret = madeOf(key, (value) => Buffer.from(value.slice('whsec_'.length), 'base64'))
  return function isSigned(headers, body, now = Date.now()) {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers
    if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof given !== 'string') return false
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1000) > tolerance) return false
    const right = createHmac('sha256', secret()).update(`${id}.${timestamp}.`).update(body).digest()
    const matches = given.split(' ').filter((signature) => isEqual(signature, right))
    return matches.length > 0
  }
}

function isEqual(signature: string, right: Buffer): boolean {
  const [version, value = ''] = signature.split(',')
  const bytes = Buffer.from(value, 'base64')
  return version === 'v1' && bytes.length === right.length && timingSafeEqual(bytes, right)
}
