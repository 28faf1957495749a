// How many bytes of senders that are not known yet may be in memory. Small and large bodies have a room each, so that small
// ones never wait behind large ones.
import { bodyLimit } from './body.ts'
import { openRoom, type Stay } from './waiting-room.ts'

const mebibyte = 1024 * 1024
const smallBytes = 128 * 1024
const smallRoom = { bytes: 16 * mebibyte, lookMs: 100, leastBytes: smallBytes, patienceMs: 1000 }
const largeRoom = { bytes: 64 * mebibyte, lookMs: 250, leastBytes: mebibyte / 2, patienceMs: 2000 }

/** Room for the bodies of at most `guests` small and as many large senders. A body that does not tell its length is large. */
export function roomForStrangers(guests: number): (length: number | undefined) => Promise<Stay | undefined> {
  const enterSmall = openRoom({ ...smallRoom, guests })
  const enterLarge = openRoom({ ...largeRoom, guests })
  return (length = bodyLimit) => (length <= smallBytes ? enterSmall(length) : enterLarge(length))
}
