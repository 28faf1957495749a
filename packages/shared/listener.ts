// An HTTP listener that can be stopped without dropping a request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'

type Fetch = Parameters<typeof getRequestListener>[0]

export type Listener = {
  port: number
  /**
   * Goes on answering for a moment while telling its clients to open no further request on their connections, then
   * takes no new ones, and waits for the answers under way. What is left after `patience` ms is closed.
   */
  stop: (patience?: number) => Promise<void>
}

// Longer than the keep-alive of usual proxies, so that it is never we who close a connection they are about to use.
const keepAliveMs = 75_000
const farewellMs = 300
const unusedMs = 1000
const flushMs = 3000

/** Serves `fetch` on `host`:`port` (0: any free one). Rejects when it cannot listen there. */
export async function listen({ fetch, host, port }: { fetch: Fetch; host: string; port: number }): Promise<Listener> {
  const answer = getRequestListener(fetch, { hostname: 'localhost' }) // for probes in HTTP/1.0, which name no host
  // Each with its last answer. A set of the answers under way would be rebuilt every few requests, and what an old table
  // of it holds outlives the next collections.
  const sockets = new Map<Socket, ServerResponse | undefined>()
  let connections = 0
  let stopping = false
  let held: Promise<void> | undefined

  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 60_000 }, (request, response) => {
    if (sockets.has(request.socket)) sockets.set(request.socket, response)
    if (stopping) response.setHeader('connection', 'close')
    void serve(request, response)
  })
  server.on('connection', (socket) => {
    connections++
    sockets.set(
      socket.on('close', () => sockets.delete(socket)),
      undefined,
    )
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (held) await held
    await answer(request, response)
  }

  // Node takes a connection for idle whose answer has been written to its end, though the client has not read it yet.
  async function flushed(): Promise<void> {
    for (const deadline = Date.now() + flushMs; Date.now() < deadline; await pause(20))
      if (![...sockets.values()].some((response) => response?.writableEnded === true && !response.writableFinished)) return
  }

  // The system resets connections that are still in the listening socket's queue when it is closed. While no answers are
  // given, clients that send one request after another open no new connections, and the queue runs empty.
  async function closeQuietly(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    for (let calm = 0, rounds = 0, before = connections; calm < 3 && rounds < 25; rounds++, before = connections) {
      await pause(20)
      calm = connections === before ? calm + 1 : 0
    }
    server.close()
    held = undefined
    resolve()
  }

  return {
    port: portOf(server),
    async stop(patience = 6000) {
      const closed = new Promise<void>((resolve) => server.once('close', resolve))
      const late = setTimeout(() => server.closeAllConnections(), patience)
      stopping = true
      for (const response of sockets.values()) if (response?.headersSent === false) response.setHeader('connection', 'close')
      await pause(farewellMs)
      await flushed()
      await closeQuietly()
      const unused = setTimeout(() => closeUnused(sockets.keys()), unusedMs)
      const idle = setInterval(() => server.closeIdleConnections(), 100)
      await closed
      clearTimeout(late)
      clearTimeout(unused)
      clearInterval(idle)
    },
  }
}

// Node does not count a connection as idle that was opened in advance and has never carried a request.
function closeUnused(sockets: Iterable<Socket>): void {
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
