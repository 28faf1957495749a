// Signed hooks, as GitLab 19.0 sends them: HMAC-SHA256 over id, time and raw body, by the Standard Webhooks specification
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { madeOf, type Secret } from '#shared/process/secret.ts'
import { beginHmac, secretOf } from '#shared/process/signing.ts'

const toleranceMs = 5 * 60_000

/** A signature that is checked while the body comes. */
export type Check = { update: (chunk: Buffer) => void; isRight: () => boolean }

/**
 * What begins the check of a request by its headers: undefined when they cannot be right, whatever the body is. `now` is in ms
 * since 1970; a signature is good for five minutes before and after its time. `webhook-signature` may hold several, with
 * blanks between.
 */
export function signatureCheck(key: Secret): (headers: IncomingHttpHeaders, now?: number) => Check | undefined {
  const secret = madeOf(key, secretOf)
  return function begin(headers, now = Date.now()) {
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': given } = headers
    if (typeof id !== 'string' || id === '' || typeof timestamp !== 'string' || typeof given !== 'string') return undefined
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1000) > toleranceMs) return undefined
    const signatures = given.split(' ').flatMap(bytesOf)
    if (signatures.length === 0) return undefined
    const hmac = beginHmac(secret(), id, timestamp)
    return {
      update: (chunk) => void hmac.update(chunk),
      isRight() {
        const right = hmac.digest()
        return signatures.filter((signature) => timingSafeEqual(signature, right)).length > 0
      },
    }
  }
}

const digestBytes = 32

function bytesOf(signature: string): Buffer[] {
  const [version, value = ''] = signature.split(',')
  const bytes = Buffer.from(value, 'base64')
  return version === 'v1' && bytes.length === digestBytes ? [bytes] : []
}
