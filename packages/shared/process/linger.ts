// What is done with a request whose body nobody wanted. A connection that is closed in the middle of a body is reset, and
// many senders then never read their answer; but nobody may keep us busy with what is thrown away.
import type { IncomingMessage } from 'node:http'

const mostBytes = 1024 * 1024
const lingerMs = 500

/** Throws away what is left of the body of `request`, which has been answered; if that is much, or slow, closes the connection. */
export function linger(request: IncomingMessage): void {
  const { socket } = request
  const late = setTimeout(() => socket.destroySoon(), lingerMs)
  let bytes = 0
  request
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > mostBytes) socket.destroySoon()
    })
    .on('close', () => clearTimeout(late))
    .resume()
}
