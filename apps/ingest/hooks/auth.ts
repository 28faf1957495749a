// Who may hand in deliveries: whoever knows one of the secrets. Digests are compared, in constant time and with every
// secret, so that the time taken tells nothing.
import { createHash, timingSafeEqual } from 'node:crypto'
import { madeOf, type Secret } from '#shared/process/secret.ts'

/** In bytes. */
export const longestToken = 1024

export function isToken(token: string): boolean {
  return Buffer.byteLength(token) <= longestToken
}

/** A test of the `X-Gitlab-Token` header against the accepted `tokens`, each of at most 1,024 bytes. */
export function tokenCheck(tokens: Secret[]): (given: string | undefined) => boolean {
  const accepted = tokens.map((token) => madeOf(token, (value) => digest(value, 'utf8')))
  return (given) => {
    if (!given || given.length > longestToken) return false
    // Node reads header bytes as Latin-1.
    const candidate = digest(given, 'latin1')
    return accepted.filter((token) => timingSafeEqual(token(), candidate)).length > 0
  }
}

function digest(secret: string, encoding: 'utf8' | 'latin1'): Buffer {
  return createHash('sha256').update(secret, encoding).digest()
}
