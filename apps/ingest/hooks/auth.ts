// Who may hand in deliveries: whoever knows one of the secrets. What is compared has always the same length, and is
// compared in constant time and against every secret, so that the time taken tells nothing.
import { timingSafeEqual } from 'node:crypto'
import { madeOf, type Secret } from '#shared/process/secret.ts'

/** In bytes. */
export const longestToken = 1024

export function isToken(token: string): boolean {
  return Buffer.byteLength(token) <= longestToken
}

/** A test of the `X-Gitlab-Token` header against the accepted `tokens`, each of at most 1,024 bytes. */
export function tokenCheck(tokens: Secret[]): (given: string | undefined) => boolean {
  const accepted = tokens.map((token) => madeOf(token, (value) => fill(Buffer.alloc(blockSize), value, 'utf8')))
  const candidate = Buffer.alloc(blockSize)
  return (given) => {
    if (!given || given.length > longestToken) return false
    // Node reads header bytes as Latin-1.
    fill(candidate, given, 'latin1')
    return accepted.filter((token) => timingSafeEqual(token(), candidate)).length > 0
  }
}

const blockSize = 4 + longestToken

// Behind its length, and the rest zeros: a shorter secret is no beginning of a longer one.
function fill(block: Buffer, secret: string, encoding: 'utf8' | 'latin1'): Buffer {
  block.fill(0)
  block.writeUInt32BE(block.write(secret, 4, encoding))
  return block
}
