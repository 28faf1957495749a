// The connections of a listener. When there are too many one is closed: one on which nothing is under way, if there is any.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * `since`: when it was opened (ms, of `performance.now()`). `response`: the answer to its last request, once the head of one
 * has come. `ahead`: how many requests in a row came before the answer to the one before was finished.
 */
type Connection = { since: number; response: ServerResponse | undefined; ahead: number }

export type Connections = {
  /** In the order in which they were opened. */
  open: ReadonlyMap<Socket, Readonly<Connection>>
  add: (socket: Socket) => void
  /**
   * Notes a request, and answers whether it may be served. A connection that sends too many at once is closed: all that come in
   * one piece are parsed at once.
   */
  asked: (socket: Socket, response: ServerResponse) => boolean
}

// A real client sends its request as soon as it is connected.
const graceMs = 250
const aheadMost = 16

/** None at first, and never more than `most`; `onCrowded` is called for each that is closed to make room. */
export function openConnections(most: number, onCrowded: () => void): Connections {
  // V8 rebuilds a set every few additions and removals, and its old tables keep what they held alive for some collections. The
  // keys of this map rarely change, so it is not rebuilt for each request.
  const open = new Map<Socket, Connection>()

  // One function for all of them, since there may be very many.
  function forget(this: Socket): void {
    open.delete(this)
  }

  function makeRoom(): void {
    const socket = quietest(open)
    if (!socket) return
    open.delete(socket)
    socket.destroy()
    onCrowded()
  }

  return {
    open,
    add(socket) {
      open.set(socket, { since: performance.now(), response: undefined, ahead: 0 })
      socket.on('close', forget)
      if (open.size > most) makeRoom()
    },
    asked(socket, response) {
      const connection = open.get(socket)
      if (!connection) return false
      connection.ahead = connection.response?.writableFinished === false ? connection.ahead + 1 : 0
      connection.response = response
      if (connection.ahead > aheadMost) socket.destroy()
      return !socket.destroyed
    },
  }
}

// Which connection to close, best first: one that never sent a request and is older than the grace; one whose answer has been
// read; one whose answer waits to be read; one that has just been opened; and when all are busy, the newest.
function quietest(open: ReadonlyMap<Socket, Connection>): Socket | undefined {
  const silentSince = performance.now() - graceMs
  let answered: Socket | undefined
  let unread: Socket | undefined
  let silent: Socket | undefined
  let newest: Socket | undefined
  for (const [socket, { since, response }] of open) {
    newest = socket
    if (response?.writableFinished === true) answered ??= socket
    else if (response?.writableEnded === true) unread ??= socket
    else if (response === undefined && since < silentSince) return socket
    else if (response === undefined) silent ??= socket
  }
  return answered ?? unread ?? silent ?? newest
}

/** For an answer without an end: it is over when the other end closes its half. Any other answer is still given in full. */
export function endWithOther(socket: Socket): void {
  if (socket.readableEnded) socket.end()
  else socket.on('end', end)
}

function end(this: Socket): void {
  this.end()
}
