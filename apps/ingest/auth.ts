// Who may hand in deliveries: whoever knows one of the secrets. What is compared has always the same length, and is
// compared in constant time and against every secret, so that the time taken tells nothing.
import { timingSafeEqual } from 'node:crypto'

/** In bytes. */
export const longestToken = 1024

export function isToken(token: string): boolean {
  return Buffer.byteLength(token) <= longestToken
}

/** A test of the `X-Gitlab-Token` header against the accepted `tokens`, each of at most 1,024 bytes. */
export function tokenCheck(tokens: string[]): (given: string | undefined) => boolean {
  const accepted = tokens.map((token) => padded(Buffer.from(token, 'utf8')))
  return (given) => {
    // Node reads header bytes as Latin-1.
    const bytes = Buffer.from(given ?? '', 'latin1')
    if (bytes.length === 0 || bytes.length > longestToken) return false
    const candidate = padded(bytes)
    return accepted.filter((token) => timingSafeEqual(token, candidate)).length > 0
  }
}

// Behind its length, and filled up: a shorter secret is no beginning of a longer one.
function padded(bytes: Buffer): Buffer {
  const block = Buffer.alloc(4 + longestToken)
  block.writeUInt32BE(bytes.length)
  bytes.copy(block, 4)
  return block
}
