// How hooks are signed, by the Standard Webhooks specification
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
import { createHmac, type Hmac } from 'node:crypto'

const form = /^whsec_[A-Za-z0-9+/]{22,}={0,2}$/

/** Whether `key` has the form of a signing key: `whsec_` and Base64. */
export function isSigningKey(key: string): boolean {
  return form.test(key)
}

export const signingKeyForm = 'expected whsec_ and Base64, as GitLab shows it'

/** The secret that a signing key holds. */
export function secretOf(key: string): Buffer {
  return Buffer.from(key.slice('whsec_'.length), 'base64')
}

/** A hash that lacks only the body: over `id`, `timestamp` (seconds since 1970) and what it is updated with. */
export function beginHmac(secret: Buffer, id: string, timestamp: string): Hmac {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.`)
}
