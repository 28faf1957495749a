// Requests signed as GitLab signs them.
import { createHmac } from 'node:crypto'

export const signingKey = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** The headers of a request with `body` that was signed `at` (ms since 1970). */
export function signed(body: string | Uint8Array, id: string, at = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const secret = Buffer.from(signingKey.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}
