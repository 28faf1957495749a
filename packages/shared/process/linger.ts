// What is done with a request whose body is not wanted. If a connection is closed in the middle of a body it is reset, and many
// senders then never read their answer. So the rest is read and thrown away, within bounds: nobody may keep us busy with that.
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
