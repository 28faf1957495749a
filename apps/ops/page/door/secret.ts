// Comparing what somebody sent with what it must be, in a time that tells nothing about it.
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto'

/** Whether two texts are equal. */
export function isEqual(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** A key for one purpose, made from a secret, which it does not give away. */
export function keyFrom(secret: string, purpose: string): string {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)).toString('hex')
}
