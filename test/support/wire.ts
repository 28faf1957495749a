// A connection on which a test says what it likes, byte by byte, and sees what comes back.
import { once } from 'node:events'
import { connect } from 'node:net'

export type Wire = {
  /** Resolves when it is on its way. */
  say: (text: string | Uint8Array) => Promise<void>
  /** Closes our half of the connection. */
  end: () => void
  /** All that has come back. */
  heard: () => string
  /** The status of the first answer, once its head has come. */
  status: () => number | undefined
  isClosed: () => boolean
  /** Gives it up. */
  hangUp: () => void
}

/** Connects to `port` on this machine; a reset counts as the other end's way to close. */
export async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let heard = ''
  let isClosed = false
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')))
  socket.on('end', () => (isClosed = true)).on('close', () => (isClosed = true))
  await once(socket, 'connect')
  socket.on('error', () => (isClosed = true))
  return {
    say: (text) => new Promise((resolve) => socket.write(text, () => resolve())),
    end: () => void socket.end(),
    heard: () => heard,
    status: () => (heard.includes('\r\n\r\n') ? Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1]) : undefined),
    isClosed: () => isClosed,
    hangUp: () => void socket.destroy(),
  }
}

/** The head of a request with these headers, and the blank line. */
export function head(request: string, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request} HTTP/1.1\r\n${lines.join('')}\r\n`
}
