// The connections of a listener. When there are too many one is closed: one on which nothing is under way, if there is any.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Since when it is open (ms, of `performance.now()`), the answer to its last request, once the head of one has come, and how
 * many requests came before the answer to the one before was on its way.
 */
type Connection = { since: number; response: ServerResponse | undefined; ahead: number }

export type Connections = {
  /** In the order in which they were opened. */
  open: ReadonlyMap<Socket, Readonly<Connection>>
  add: (socket: Socket) => void
  /** Notes a request and whether it may be answered: whoever sends many at once is cut off, since all that come in one piece are parsed at once. */
  asked: (socket: Socket, response: ServerResponse) => boolean
}

// Whoever has something to say says it at once.
const graceMs = 250
const aheadMost = 16

/** None at first, and never more than `most`; `onCrowded` is called for each that is closed to make room. */
export function openConnections(most: number, onCrowded: () => void): Connections {
  // A set of the answers under way would be rebuilt every few requests, and what an old table of it holds outlives the
  // next collections.
  const open = new Map<Socket, Connection>()

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
      const connection: Connection = { since: performance.now(), response: undefined, ahead: 0 }
      open.set(socket, connection)
      socket.on('close', () => open.delete(socket)).on('end', () => endStream(socket, connection))
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

// One that has said nothing for a while, else one whose answer has been taken, else one whose answer waits to be taken, else one
// that has said nothing yet, and the newest when all are busy.
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

// An answer without an end is over when its reader goes; any other is given in full.
function endStream(socket: Socket, { response }: Connection): void {
  if (response?.headersSent === true && !response.writableEnded) socket.end()
}
