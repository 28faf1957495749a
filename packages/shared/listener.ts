// An HTTP listener that can be stopped without dropping a request.
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'

type Fetch = Parameters<typeof getRequestListener>[0]

export type Listener = {
  port: number
  /**
   * Goes on answering for a moment while telling its clients to open no further request on their connections, then
   * takes no new ones, waits for the answers under way, and closes what is left after `patience` ms.
   */
  stop: (patience?: number) => Promise<void>
}

// Longer than the keep-alive of usual proxies, so that it is never we who close a connection they are about to use.
const keepAliveMs = 75_000
const farewellMs = 300

/** Serves `fetch` on `host`:`port` (0: any free one). Rejects when it cannot listen there. */
export async function listen({ fetch, host, port }: { fetch: Fetch; host: string; port: number }): Promise<Listener> {
  const answer = getRequestListener(fetch)
  let stopping = false
  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 60_000 }, (request, response) => {
    if (stopping) response.setHeader('connection', 'close')
    void answer(request, response)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))

  return {
    port: portOf(server),
    async stop(patience = 6000) {
      stopping = true
      await pause(farewellMs)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const late = setTimeout(() => server.closeAllConnections(), patience)
      const idle = setInterval(() => closeIdle(server, sockets), 100)
      await closed
      clearTimeout(late)
      clearInterval(idle)
    },
  }
}

// Node does not count a connection as idle that was opened in advance and has never carried a request.
function closeIdle(server: Server, sockets: Set<Socket>): void {
  server.closeIdleConnections()
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
